// AVX-512's kernels with AMX's products of bfloat16; see kernels.h.
#include <hwy/highway.h>
#include <immintrin.h>

#include <cstddef>
#include <utility>

#include "backends/cpu/kernels_isa.h"

HWY_BEFORE_NAMESPACE();
namespace swinzoo::backends::amx {
namespace {

// Each builds on those before it.
// clang-format off
#include "backends/cpu/simd_math.inc"
#include "backends/cpu/simd_tile.inc"
#include "backends/cpu/simd_rows.inc"
#include "backends/cpu/simd_bf16.inc"
#include "backends/cpu/simd_epilogue.inc"
#include "backends/cpu/simd_bf16_amx.inc"
#include "backends/cpu/simd_attention.inc"
// clang-format on

}  // namespace

#include "backends/cpu/kernels_table.inc"

}  // namespace swinzoo::backends::amx
HWY_AFTER_NAMESPACE();
