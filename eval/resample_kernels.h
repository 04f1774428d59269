// The two passes of a resize: single-threaded functions over raw pointers, a table of them for each
// instruction set (backends/cpu/isa.h). All tables give the same bytes.
//
// An output sample is the sum of input samples, each times a weight in fixed point of kWeightBits, plus a
// half, without its fraction and clipped to 0..255. Pillow sums in 32 bits and so do all tables: its weights
// add up to 1, and what the negative ones take away and the others bring back stays far below the 2 that
// there is room for.
//
// The vectors' table (simd_resample.inc) multiplies in 16 bits, so it takes weights in two parts, for two
// taps at a time; the objects of different instruction sets share no symbol, which is why nothing but plain
// data stands here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cpu/isa.h"

namespace swinzoo::eval {

inline constexpr int kWeightBits = 32 - 8 - 2;  // Resample.c: PRECISION_BITS
inline constexpr int32_t kHalf = 1 << (kWeightBits - 1);

// What one output of an axis is the sum of: inputs [first, first + count), with the weights from index
// `weights` on, which is a multiple of 4; zeros fill them up to the next multiple.
struct Taps {
  int32_t first;
  int32_t count;
  int64_t weights;
};

// Weights 2 i (in the low halves) and 2 i + 1 (in the high ones): weight = low + (high << kLowBits), low >=
// 0.
inline constexpr int kLowBits = 15;
struct WeightPair {
  int32_t low;
  int32_t high;
};

struct AxisView {
  const Taps* outputs;
  int64_t count;
  const int32_t* weights;
  const WeightPair* pairs;
};

// How far beyond the end of a row across() may read, and write, whatever is there.
inline constexpr int64_t kReach = 16;
// The least samples in a row that down() takes.
inline constexpr int64_t kLeastSamples = 64;

struct ResampleKernels {
  // Each row of RGB pixels resized. REQUIRES: kReach bytes behind each row of `in`, which may be those of the
  // next row, and kReach more behind each row of `out`, which the next row does not use.
  void (*across)(const uint8_t* in, int64_t in_stride, int64_t rows, const AxisView& axis, uint8_t* out,
                 int64_t out_stride);
  // Each column of samples resized. REQUIRES: samples >= kLeastSamples.
  void (*down)(const uint8_t* in, int64_t in_stride, int64_t samples, const AxisView& axis, uint8_t* out,
               int64_t out_stride);
};

// REQUIRES: this CPU has the instruction set. kBaseline's takes any sizes, and needs no room behind rows.
const ResampleKernels& resample_kernels(backends::Isa isa);

// The widest that there is a table for and that this CPU has.
backends::Isa resample_isa();

namespace avx2 {
extern const ResampleKernels kKernels;
}
namespace avx512 {
extern const ResampleKernels kKernels;
}

}  // namespace swinzoo::eval
