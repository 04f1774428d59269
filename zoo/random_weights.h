// Weights made up for a plan: for running an architecture of which there is no checkpoint.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/plan.h"
#include "formats/tensor.h"

namespace swinzoo::zoo {

// Evenly spread, from a seed, the same on every machine. Each kind has a size that keeps numbers alive to the
// last layer: matrices a variance of one over their inputs, norms' weights 1 and a standard deviation of 0.1,
// all biases 0 and 0.1, tables of position biases 0.5, logit scales 1.5 and 1; but the last block's first
// head has 5, beyond the bound that cosine attention clips at.
class RandomWeights {
 public:
  RandomWeights(const backends::Plan& plan, uint32_t seed);

  // As Backend::load takes them. They live as long as this object.
  std::vector<TensorView> views() const;

 private:
  std::vector<Tensor> tensors_;
};

}  // namespace swinzoo::zoo
