// Whether two models, of the same weights in two files, give the same outputs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "formats/tensor.h"
#include "zoo/model.h"

namespace swinzoo::zoo {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// A model's outputs, all but the attention weights (which all later outputs depend on), for one image of
// normal values from a fixed seed.
NamedTensors seeded_outputs(const Model& model);

struct OutputDifference {
  bool same_bits = true;
  double largest = 0;                   // |a - b| over an output's largest |a|, the largest of all outputs
  std::string largest_in;               // its output
  std::vector<std::string> not_finite;  // outputs with elements that are NaN or infinite in b and finite in a
};

// REQUIRES: both hold the same names and shapes, in the same order.
OutputDifference compare_outputs(const NamedTensors& a, const NamedTensors& b);

}  // namespace swinzoo::zoo
