// The oracle: runs a plan operation by operation in plain loops, accumulating in double, storing float32.
#pragma once

#include "backends/backend.h"

namespace swinzoo::backends {

// See LoadFunction. Slow (about 1 GMAC a second and thread), and needs memory for each operation's result.
std::unique_ptr<Executable> load_reference(Plan plan, std::vector<TensorView> weights,
                                           const LoadOptions& options);

}  // namespace swinzoo::backends
