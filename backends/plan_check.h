// Is a plan consistent? Nothing in a plan follows by itself from anything else in it, so this works out every
// value again from the operation that makes it.
#pragma once

#include "backends/plan.h"

namespace swinzoo::backends {

// Throws kCorrupt, naming the step and the operation, unless: each operation reads values that are there by
// then and has the inputs, weights and windows that its kind wants; each value has the shape that follows
// from them; what is done once depends on weights only; each value is made once and each weight used once;
// steps and outputs stand for values that are there, and names of weights, steps and outputs are unique.
void check_plan(const Plan& plan);

}  // namespace swinzoo::backends
