// The position biases and masks of window attention, as the cpu backend's kernels read them (see
// HeadAttention).
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/packed_weights.h"
#include "backends/plan.h"

namespace swinzoo::backends {

// log2(e): what scores, biases and masks are multiplied by.
inline constexpr float kLog2E = 1.44269504f;

struct PositionBias {
  PositionBias(const Attention& attention, const PackedWeights& weights);

  // A head's table. REQUIRES: head is one of the attention's.
  const float* of_head(int64_t head) const { return tables.data() + head * offsets; }

  int64_t offsets;  // of one head's table
  std::vector<float>
      tables;  // [heads, offsets], times log2(e), the last offset first; kSlack floats behind it
  std::vector<int32_t> positions;  // a token
  int32_t centre;
  std::vector<BiasRun> runs;
};

// What is added to the scores of tokens that the cyclic shift brought together. Windows with the same pattern
// of regions share their rows. Empty where nothing is shifted.
struct ShiftMasks {
  explicit ShiftMasks(const Windows& windows);

  // Sets what a head of window `window` of an image gets; nothing where all of its tokens are of one region.
  void apply(int64_t window, HeadAttention& head) const;

  int64_t tokens;
  int64_t stride;                 // floats between rows of masks
  std::vector<float> masks;       // rows, times log2(e); kSlack floats behind them
  std::vector<int32_t> rows;      // [patterns, tokens]: each query's row of masks
  std::vector<int32_t> patterns;  // a window; -1: no mask
};

}  // namespace swinzoo::backends
