#include "backends/cpu/pinning.h"

#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

using namespace swinzoo::backends;

namespace {

std::set<int> allowed_now() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  std::set<int> numbers;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) numbers.insert(i);
  }
  return numbers;
}

}  // namespace

TEST_CASE("each core comes first with one of its hardware threads, node by node") {
  // Two nodes of two cores of two hardware threads, numbered as Linux often does: siblings 4 apart, nodes
  // even and odd.
  const std::vector<Processor> processors = {{0, 0, 0}, {1, 1, 0}, {2, 0, 0}, {3, 1, 0},
                                             {4, 0, 1}, {5, 1, 1}, {6, 0, 1}, {7, 1, 1}};
  CHECK(pinning_order(processors) == std::vector<int>{0, 2, 1, 3, 4, 6, 5, 7});
  CHECK(pinning_order({}).empty());
}

TEST_CASE("the processors to pin to are those that the process may run on") {
  const std::vector<int> order = processors_to_pin();
  CHECK(std::set<int>(order.begin(), order.end()) == allowed_now());
  CHECK(order.size() == allowed_now().size());
}

TEST_CASE("threads run on their processor inside of the arena, and anywhere after it") {
  const std::set<int> before = allowed_now();
  const std::vector<int> processors = processors_to_pin();
  const int threads = static_cast<int>(processors.size());
  tbb::task_arena arena(threads);
  std::atomic<int> wrong = 0;
  {
    const Pinned pinned(arena, processors);
    for (int repeat = 0; repeat < 20; ++repeat) {
      arena.execute([&] {
        tbb::parallel_for(0, 50, [&](int) {
          const auto slot = static_cast<size_t>(tbb::this_task_arena::current_thread_index());
          if (allowed_now() != std::set<int>{processors[slot]}) ++wrong;
        });
      });
      CHECK(allowed_now() == before);
    }
  }
  CHECK(wrong == 0);
}
