// One table of kernels an instruction set; see kernels.h.
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

}  // namespace swinzoo::backends
