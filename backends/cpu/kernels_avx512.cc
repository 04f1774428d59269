// AVX-512's kernels; see kernels.h.
#include <hwy/highway.h>

#include <cstddef>
#include <utility>

#include "backends/cpu/kernels_isa.h"

HWY_BEFORE_NAMESPACE();
namespace swinzoo::backends::avx512 {
namespace {

// Each builds on those before it.
// clang-format off
#include "backends/cpu/simd_math.inc"
#include "backends/cpu/simd_tile.inc"
#include "backends/cpu/simd_rows.inc"
#include "backends/cpu/simd_float.inc"
#include "backends/cpu/simd_epilogue.inc"
#include "backends/cpu/simd_multiply.inc"
#include "backends/cpu/simd_attention.inc"
// clang-format on

}  // namespace

#include "backends/cpu/kernels_table.inc"

}  // namespace swinzoo::backends::avx512
HWY_AFTER_NAMESPACE();
