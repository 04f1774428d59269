// AVX-512's passes of a resize; see resample_kernels.h.
#include <hwy/highway.h>

#include "eval/resample_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace swinzoo::eval::avx512 {
namespace {

#include "eval/simd_resample.inc"

}  // namespace

extern const ResampleKernels kKernels = {&across, &down};

}  // namespace swinzoo::eval::avx512
HWY_AFTER_NAMESPACE();
