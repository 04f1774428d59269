// The default backend: TBB for the threads, Eigen for the products, kernels compiled for each instruction
// set.
#pragma once

#include "backends/backend.h"

namespace swinzoo::backends {

// See LoadFunction. Reads SWINZOO_FORCE_ISA (isa.h). Weights are used where they lie; nothing is copied but
// position biases, which are expanded to [heads, tokens, tokens].
std::unique_ptr<Executable> load_cpu(Plan plan, std::vector<TensorView> weights, const LoadOptions& options);

}  // namespace swinzoo::backends
