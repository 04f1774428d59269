// The figures that others published of a model, beside a run's own.
#pragma once

#include <string_view>
#include <vector>

#include "eval/known_data_sets.h"
#include "eval/run.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// The spec's figures on the data set that was measured on, which `known` names; on ImageNet where it is null:
// as something to look at. Only where the images represent that set (DataSet::represents_known) does a figure
// have a difference to the run's, and is said to lie within the run's 95% interval or not. REQUIRES: the
// run's accuracy is set; `known` is not null where `represents` is true.
std::vector<PublishedFigure> published_figures(const zoo::ModelSpec& spec, const Run& run,
                                               const KnownDataSet* known, bool represents);

}  // namespace swinzoo::eval
