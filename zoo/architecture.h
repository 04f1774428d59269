// Architectures: for a spec, the plan, whose weights are the full list of parameters with their canonical
// names and shapes.
#pragma once

#include <span>
#include <string_view>

#include "backends/plan.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// One file in zoo/arch/ each.
struct Architecture {
  std::string_view family;                              // ModelSpec::dimensions.family
  backends::Plan (*build_plan)(const ModelSpec& spec);  // REQUIRES: check_dimensions passed (spec_check.h)
};

std::span<const Architecture> architectures();

// The plan of a spec. Throws kUnsupported, naming the entry, where no file in zoo/arch/ is of its family.
backends::Plan build_plan(const ModelSpec& spec);

}  // namespace swinzoo::zoo
