// The cpu backend's kernels: small, single-threaded, and compiled once for each instruction set.
//
// kernels.inc holds them; kernels_<isa>.cc compiles it with that instruction set's flags and with Eigen in a
// namespace of its own, so that no object shares a symbol with another (tests/backends/weak_symbols.cmake
// checks). Matrices are row-major; a stride is in elements. No kernel allocates but Eigen's products, which
// pack into the stack or the heap.
#pragma once

#include <cstdint>

#include "backends/cpu/isa.h"

namespace swinzoo::backends {

struct Kernels {
  // out[rows, columns] = x[rows, depth] w[columns, depth]^T + bias[columns] (null: none).
  void (*linear)(const float* x, int64_t x_stride, int64_t rows, int64_t depth, const float* w,
                 const float* bias, int64_t columns, float* out, int64_t out_stride);

  // out = (x - mean(x)) / sqrt(var(x) + epsilon) * weight + bias. May work in place.
  void (*layer_norm)(const float* x, int64_t channels, const float* weight, const float* bias, float epsilon,
                     float* out);

  // x = x Phi(x), by Eigen's rational erf: within 1e-6 of the exact value.
  void (*gelu)(float* x, int64_t count);

  // to += from.
  void (*add)(const float* from, int64_t count, float* to);

  // x = x / max(|x|, 1e-12) * scale (torch.nn.functional.normalize's bound).
  void (*normalize)(float* x, int64_t count, float scale);

  // One head of one window. q, k and v are [tokens, head_size], rows `stride` apart; q k^T is multiplied by
  // scale. The pair (i, j) of tokens gets the position bias bias[bias_index[i, j]]; scores between tokens
  // with different regions (null: all the same) get kMaskedScore. `attention` [tokens, tokens] receives the
  // weights after softmax; out [tokens, head_size] their product with v.
  void (*attention)(const float* q, const float* k, const float* v, int64_t stride, int64_t tokens,
                    int64_t head_size, float scale, const float* bias, const int32_t* bias_index,
                    const int32_t* regions, float* attention, float* out, int64_t out_stride);
};

// The kernels for an instruction set. REQUIRES: has_isa(isa).
const Kernels& kernels_for(Isa isa);

}  // namespace swinzoo::backends
