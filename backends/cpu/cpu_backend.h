// The default backend: packed weights, TBB for the threads, kernels for each instruction set
// (docs/architecture.md).
#pragma once

#include "backends/backend.h"

namespace swinzoo::backends {

// See LoadFunction. Reads SWINZOO_FORCE_ISA (isa.h). The weights of products and position biases are copied
// and packed; norms' are used where they lie.
std::unique_ptr<Executable> load_cpu(Plan plan, std::vector<TensorView> weights, const LoadOptions& options);

}  // namespace swinzoo::backends
