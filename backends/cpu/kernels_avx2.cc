#define Eigen EigenAvx2
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

#include "backends/cpu/kernels_isa.h"
#include "backends/masked_score.h"

namespace swinzoo::backends::avx2 {
namespace {

#include "backends/cpu/kernels.inc"

}  // namespace

extern const Kernels kKernels = {&linear, &layer_norm, &gelu, &add, &normalize, &attention};

}  // namespace swinzoo::backends::avx2
