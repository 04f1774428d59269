// Starting a thread, and saying so where that is not possible.
#pragma once

#include <system_error>
#include <thread>
#include <utility>

#include "formats/error.h"

namespace swinzoo {

// std::jthread(arguments...). Throws kFailed where the system gives no thread more: by `ulimit -u`, by a
// container's limit, or as there is no memory for its stack.
template <typename... Arguments>
std::jthread start_thread(Arguments&&... arguments) {
  try {
    return std::jthread(std::forward<Arguments>(arguments)...);
  } catch (const std::system_error& error) {
    fail(ErrorCode::kFailed, "no more threads can be started: {} (see 'ulimit -u', and a container's limits)",
         error.code().message());
  }
}

}  // namespace swinzoo
