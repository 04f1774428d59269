// How often memory was allocated.
#pragma once

#include <cstdint>

namespace swinzoo::backends {

// Calls of malloc, calloc, realloc, aligned_alloc and new so far, by all threads. Thread-safe.
int64_t allocations();

}  // namespace swinzoo::backends
