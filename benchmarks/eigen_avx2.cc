// The portable kernels, compiled for AVX2: what the hand-written ones are held against.
#define Eigen EigenAvx2
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

#include "backends/cpu/kernels.h"

namespace swinzoo::backends::eigen_avx2 {
namespace {

#include "backends/cpu/eigen_kernels.inc"

}  // namespace

#include "backends/cpu/kernels_table.inc"

}  // namespace swinzoo::backends::eigen_avx2
