// The portable kernels, for the instruction set that the compiler targets by default; see kernels.h.
#define Eigen EigenBaseline
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

#include "backends/cpu/kernels_isa.h"

namespace swinzoo::backends::baseline {
namespace {

#include "backends/cpu/eigen_kernels.inc"

}  // namespace

#include "backends/cpu/kernels_table.inc"

}  // namespace swinzoo::backends::baseline
