// Threads bound to processors, so that the system does not move them while they are timed.
#pragma once

#include <sched.h>
#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>

#include <cstddef>
#include <span>
#include <vector>

namespace swinzoo::backends {

// A processor, as the system numbers it: a core, or one of a core's hardware threads.
struct Processor {
  int number = 0;
  int node = 0;     // of memory
  int sibling = 0;  // which of its core's hardware threads it is
};

// The order in which threads take them: one hardware thread of each core first, node by node, so that the
// threads of one call lie on as few nodes as can be.
std::vector<int> pinning_order(std::span<const Processor> processors);

// Those that this process may run on, in that order, by what /sys/devices/system says of them.
std::vector<int> processors_to_pin();

// While it lives, the arena's threads run on these processors only, the thread of slot i on processors[i],
// and a thread that leaves the arena may run where it could before. The arena has as many slots, and outlives
// it. Where the system refuses, nothing changes. Memory is not moved.
class Pinned : public tbb::task_scheduler_observer {
 public:
  Pinned(tbb::task_arena& arena, std::vector<int> processors);
  ~Pinned() override;

  void on_scheduler_entry(bool is_worker) override;
  void on_scheduler_exit(bool is_worker) override;

 private:
  std::vector<int> processors_;
  std::vector<cpu_set_t> before_;  // of the thread in each slot
};

}  // namespace swinzoo::backends
