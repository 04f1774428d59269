// The primitive operations, one plain function each.
#pragma once

#include <span>

#include "backends/plan.h"
#include "formats/tensor.h"

namespace swinzoo::backends::reference {

// Computes one operation. inputs[i] is op.inputs[i] for the whole batch, weights[i] is op.weights[i] (empty
// where there is none), out is the result for the whole batch. Shapes are those of `plan`.
void compute(const Plan& plan, const Op& op, int64_t batch, std::span<const std::span<const float>> inputs,
             std::span<const std::span<const float>> weights, std::span<float> out);

}  // namespace swinzoo::backends::reference
