// Two models' weights, tensor by tensor in the canonical layout, whatever files they lie in.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zoo/matched_model.h"

namespace swinzoo::zoo {

// How the elements of two tensors differ, compared bit by bit.
struct ElementDifference {
  int64_t different = 0;   // elements whose bits differ
  int64_t not_finite = 0;  // of those, where either is NaN or infinite
  double max_abs = 0;      // the largest difference of the others
  double abs_max = 0;      // the largest finite absolute value of both

  double relative() const { return max_abs == 0 ? 0 : max_abs / abs_max; }
};

// REQUIRES: as many elements.
ElementDifference difference_of(std::span<const float> a, std::span<const float> b);

enum class Verdict {
  kSame,           // bit for bit
  kSameAfterF16,   // one holds the other's float32 values rounded to F16, or as they are
  kSameAfterBF16,  // the same with BF16
  kDifferent,
};

// "same weights", "same after rounding to f16", ...
std::string_view text_of(Verdict verdict);

struct DifferentTensor {
  std::string name;
  Shape shape;
  ElementDifference elements;
};

struct ReshapedTensor {
  std::string name;
  Shape a, b;
};

// A dimension of the specs that differs, as JSON texts.
struct DimensionDifference {
  std::string name;
  std::string a, b;
};

struct WeightComparison {
  Verdict verdict = Verdict::kSame;
  bool a_is_rounded = false;               // verdict kSameAfter...: which one holds the rounded values
  int64_t compared = 0;                    // tensors that both have in the same shape
  std::vector<DifferentTensor> different;  // bit by bit, so also where rounding explains all
  std::vector<ReshapedTensor> reshaped;
  std::vector<std::string> only_in_a, only_in_b;
  std::vector<DimensionDifference> dimensions;  // they may differ where the weights are the same: image_size
};

// Weights that a checkpoint lacks, or holds in a wrong shape, count as not being in it. Holds a tensor of
// each model at a time. Thread-safe.
WeightComparison compare_weights(const MatchedModel& a, const MatchedModel& b);

}  // namespace swinzoo::zoo
