// Small plans with seeded weights, and comparison of outputs.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/plan_builder.h"

namespace swinzoo::backends {

inline Tensor random_tensor(Shape shape, uint32_t seed, float scale = 1.0f) {
  Tensor tensor(DType::kF32, std::move(shape));
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  for (float& value : tensor.as<float>()) value = scale * normal(generator);
  return tensor;
}

// Weights of a plan that keep a forward pass numerically alive: products scaled by their depth, norms
// about 1.
struct MadeWeights {
  explicit MadeWeights(const Plan& plan) {
    uint32_t seed = 1;
    for (const Weight& weight : plan.weights) {
      const float depth =
          static_cast<float>(element_count(weight.shape)) / static_cast<float>(weight.shape[0]);
      const bool is_matrix = weight.shape.size() > 1;
      Tensor tensor = random_tensor(weight.shape, seed++, is_matrix ? 1.0f / std::sqrt(depth) : 0.2f);
      if (weight.name.find("norm") != std::string::npos && weight.name.ends_with("weight")) {
        for (float& value : tensor.as<float>()) value += 1.0f;
      }
      tensors.push_back(std::move(tensor));
    }
    for (const Tensor& tensor : tensors) views.push_back(tensor.view());
  }

  std::vector<Tensor> tensors;
  std::vector<TensorView> views;
};

// The largest absolute difference, as a share of the largest absolute value of `expected`. NaN anywhere gives
// NaN.
inline double relative_error(std::span<const float> expected, std::span<const float> found) {
  double largest = 0, error = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(double{expected[i]}));
    const double difference = std::abs(double{expected[i]} - double{found[i]});
    if (!(difference <= error)) error = difference;
  }
  return error / std::max(largest, 1e-30);
}

inline std::vector<std::string> all_outputs(const Plan& plan) {
  std::vector<std::string> names;
  for (const Output& output : plan.outputs) names.push_back(output.name);
  return names;
}

}  // namespace swinzoo::backends
