#define Eigen EigenBaseline
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

#include "backends/cpu/kernels_isa.h"
#include "backends/masked_score.h"

namespace swinzoo::backends::baseline {
namespace {

#include "backends/cpu/kernels.inc"

}  // namespace

extern const Kernels kKernels = {&linear, &layer_norm, &gelu, &add, &normalize, &attention};

}  // namespace swinzoo::backends::baseline
