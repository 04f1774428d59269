// A constant apart from plan.h, for kernels that may include nothing else.
#pragma once

namespace swinzoo::backends {

// What is added to the score of two tokens from different regions of a shifted grid (timm's and the authors'
// figure).
inline constexpr float kMaskedScore = -100.0f;

}  // namespace swinzoo::backends
