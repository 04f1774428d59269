// The tables of kernels; see kernels.h.
#pragma once

#include "backends/cpu/kernels.h"

namespace swinzoo::backends {

namespace baseline {
extern const Kernels kKernels;
}
namespace avx2 {
extern const Kernels kKernels;
}
namespace avx512 {
extern const Kernels kKernels;
}
namespace avx512_bf16 {
extern const Kernels kKernels;
}
namespace amx {
extern const Kernels kKernels;
}

}  // namespace swinzoo::backends
