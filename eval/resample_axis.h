// The weights with which one axis of an image is resized: Pillow's integers (src/libImaging/Resample.c,
// precompute_coeffs and normalize_coeffs_8bpc).
#pragma once

#include <cstdint>
#include <vector>

#include "eval/resample_kernels.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

struct ResampleAxis {
  std::vector<Taps> outputs;
  std::vector<int32_t> weights;
  std::vector<WeightPair> pairs;  // the same

  AxisView view() const {
    return {outputs.data(), static_cast<int64_t>(outputs.size()), weights.data(), pairs.data()};
  }

  // The inputs that any output needs: the first, and how many.
  int64_t first() const { return outputs.front().first; }
  int64_t count() const { return outputs.back().first + outputs.back().count - first(); }

  // Counts inputs from `origin` on.
  void move_origin(int64_t origin);
};

// Outputs [from, from + count) of an axis resized from in_size to out_size, into `axis`, whose memory is used
// again. Throws kUnsupported if the sizes are so far apart that Pillow has no room for the weights.
void make_axis(int64_t in_size, int64_t out_size, int64_t from, int64_t count,
               zoo::Interpolation interpolation, ResampleAxis& axis);

}  // namespace swinzoo::eval
