#include "backends/cpu/kernels.h"

#include "backends/cpu/kernels_isa.h"

namespace swinzoo::backends {

const Kernels& kernels_for(Isa isa, [[maybe_unused]] Precision precision) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::kAmx:
      return amx::kKernels;
    case Isa::kAvx512:
      return precision == Precision::kBf16 ? avx512_bf16::kKernels : avx512::kKernels;
    case Isa::kAvx2:
      return avx2::kKernels;
#endif
    default:
      return baseline::kKernels;
  }
}

}  // namespace swinzoo::backends
