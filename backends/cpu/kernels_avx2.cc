// AVX2's kernels; see kernels.h.
#include <hwy/highway.h>

#include <cstddef>
#include <utility>

#include "backends/cpu/kernels_isa.h"

HWY_BEFORE_NAMESPACE();
namespace swinzoo::backends::avx2 {
namespace {

#include "backends/cpu/simd_math.inc"
#include "backends/cpu/simd_tile.inc"
#include "backends/cpu/simd_rows.inc"
#include "backends/cpu/simd_float.inc"
#include "backends/cpu/simd_epilogue.inc"
#include "backends/cpu/simd_multiply.inc"
#include "backends/cpu/simd_attention.inc"

}  // namespace

extern const Kernels kKernels = {kPanel,       sizeof(Operand), &packed_size,       &pack,      &multiply,
                                 &layer_norm,  &layer_norm_float, &add_layer_norm, &to_operands, &add,
                                 &normalize,   &attention_scratch, &attention,     &gelu,      &exp2};

}  // namespace swinzoo::backends::avx2
HWY_AFTER_NAMESPACE();
