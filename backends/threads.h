// How many threads TBB may start.
#pragma once

#include <tbb/global_control.h>
#include <tbb/info.h>

#include <memory>

namespace swinzoo::backends {

// TBB starts no more threads than there are cores, and warns where an arena asks for more. While the object
// lives it may start `threads`; null where it may anyway.
inline std::unique_ptr<tbb::global_control> allow_threads(int threads) {
  if (threads <= tbb::info::default_concurrency()) return nullptr;
  return std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                               static_cast<size_t>(threads));
}

}  // namespace swinzoo::backends
