// AVX-512's kernels with products of bfloat16; see kernels.h.
#include <hwy/highway.h>
#include <immintrin.h>

#include <cstddef>
#include <utility>

#include "backends/cpu/kernels_isa.h"

HWY_BEFORE_NAMESPACE();
namespace swinzoo::backends::avx512_bf16 {
namespace {

// Each builds on those before it.
// clang-format off
#include "backends/cpu/simd_math.inc"
#include "backends/cpu/simd_tile.inc"
#include "backends/cpu/simd_rows.inc"
#include "backends/cpu/simd_bf16.inc"
#include "backends/cpu/simd_epilogue.inc"
#include "backends/cpu/simd_bf16_dot.inc"
#include "backends/cpu/simd_multiply.inc"
#include "backends/cpu/simd_attention.inc"
// clang-format on

}  // namespace

#include "backends/cpu/kernels_table.inc"

}  // namespace swinzoo::backends::avx512_bf16
HWY_AFTER_NAMESPACE();
