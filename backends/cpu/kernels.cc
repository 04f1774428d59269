#include "backends/cpu/kernels.h"

#include "backends/cpu/kernels_isa.h"

namespace swinzoo::backends {

const Kernels& kernels_for(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::kAvx512:
      return avx512::kKernels;
    case Isa::kAvx2:
      return avx2::kKernels;
#endif
    default:
      return baseline::kKernels;
  }
}

}  // namespace swinzoo::backends
