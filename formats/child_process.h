// Runs a function on a stranger's bytes in a child process with limits, for libraries that a damaged file can
// crash, or make loop or allocate without end. Whatever happens there, this process only sees the child die.
//
// The child is a fork without an exec, so it has all that this process has in memory, and may look at it in
// place. Other threads don't exist there: the function must not use what they may hold (TBB above all; the C
// library's allocator is fine). It has no files: standard streams lead to /dev/null, all else is closed, and
// none can be opened. Signals have their default actions, and it dies with this process. It ends by _exit, so
// neither destructors of globals nor atexit handlers run.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace swinzoo {

struct ChildLimits {
  uint64_t memory;             // bytes of address space beside those mapped already; none under sanitizers
  std::chrono::seconds cpu;    // of the processor
  std::chrono::seconds clock;  // of the clock
};

// What the function writes goes through `send`.
using Send = std::function<void(std::span<const std::byte>)>;

// Puts all that `work` sends into `output` and returns how many bytes these are. Throws kCorrupt, saying how
// the child ended, unless `work` returned normally, in time, and sent no more than fits; kFailed if there can
// be no child. Thread-safe.
size_t run_in_child(const ChildLimits& limits, std::span<std::byte> output,
                    const std::function<void(const Send& send)>& work);

}  // namespace swinzoo
