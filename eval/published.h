// The figures that others published of a model, beside a run's own.
#pragma once

#include <string_view>
#include <vector>

#include "eval/known_data_sets.h"
#include "eval/run.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// The spec's figures on the data set that is measured on, which `known` names; on ImageNet where it is null:
// as something to look at.
std::vector<PublishedFigure> published_figures(const zoo::ModelSpec& spec, const KnownDataSet* known);

// Tells each figure of run.published its difference to the run's, and whether it lies within the run's 95%
// interval: only where run.represents says that the images stand for that data set, and only of all shards
// together. REQUIRES: the run's accuracy is set.
void compare_with_published(Run& run);

}  // namespace swinzoo::eval
