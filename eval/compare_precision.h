// What a lower precision costs: a model's outputs in it, beside those in fp32.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "backends/backend.h"
#include "eval/compare_outputs.h"

namespace swinzoo::eval {

// The error of the logits that is allowed, as a share of their abs max. bf16 keeps 8 bits of a product's
// factors; errors of 0.7% are usual through a whole Swin, in other engines too.
inline constexpr double kPrecisionTolerance = 0.015;

struct PrecisionComparison {
  int64_t inputs = 0;  // images or clips
  // Of logits, embedding and features, those that the model has, in this order: the error on the input where
  // it is largest as a share of that input's abs max.
  std::vector<NamedError> outputs;
  std::optional<int64_t> flipped;  // inputs whose best class is another; nothing for a model without a head

  // The error that kPrecisionTolerance is for: of the logits, or of the embedding where there is no head.
  const NamedError& judged() const { return outputs.front(); }
};

// Runs both on each image or clip of x by itself and adds what is found to `comparison`. Throws kUsage if x
// does not fit. REQUIRES: their plans are equal, and are those of the calls before.
void compare_precision(const backends::Executable& fp32, const backends::Executable& lower,
                       const TensorView& x, PrecisionComparison& comparison);

}  // namespace swinzoo::eval
