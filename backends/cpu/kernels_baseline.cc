// The portable kernels, for the instruction set that the compiler targets by default; see kernels.h.
#define Eigen EigenBaseline
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

#include "backends/cpu/kernels_isa.h"

namespace swinzoo::backends::baseline {
namespace {

#include "backends/cpu/eigen_kernels.inc"

}  // namespace

extern const Kernels kKernels = {1,           sizeof(float),     &packed_size,    &pack,        &multiply,
                                 &layer_norm, &layer_norm_float, &add_layer_norm, &to_operands, &add,
                                 &normalize,  &attention_scratch, &attention,     &gelu,        &exp2};

}  // namespace swinzoo::backends::baseline
