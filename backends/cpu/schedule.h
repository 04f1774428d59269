// How a step's work is spread over threads.
//
// A step's rows (or windows) are cut into groups, and its work on a group into phases, one after another:
// norm, first product, attention, second product. A phase of a group has parts that may be done in any order:
// rows, panels of columns, heads. Whole rounds of groups, one for each thread, are done group by group: a
// thread takes a group through all phases while its data lies in the caches. What groups are left, fewer than
// threads, all threads do together, phase by phase, each taking parts. Nothing that is computed depends on
// which way it was.
#pragma once

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cstdint>

namespace swinzoo::backends {

// parts(group): how many there are. run(group, slot, first, last): does some; the slot, of as many as there
// are threads, is this group's own until its last phase is over.
template <typename Parts, typename Run>
struct Phase {
  Parts parts;
  Run run;
};
template <typename Parts, typename Run>
Phase(Parts, Run) -> Phase<Parts, Run>;

// Calls body(i) for each i below count, in parallel, one at a time.
template <typename Body>
void parallel_each(int64_t count, const Body& body) {
  tbb::parallel_for(
      tbb::blocked_range<int64_t>(0, count, 1),
      [&](const tbb::blocked_range<int64_t>& range) {
        for (int64_t i = range.begin(); i < range.end(); ++i) body(i);
      },
      tbb::simple_partitioner());
}

// Which of the arena's threads this is.
inline int64_t this_thread() { return tbb::this_task_arena::current_thread_index(); }

// Runs a step's phases over all groups. `threads` is the arena's, in which this is called.
template <typename... Phases>
void run_phases(int64_t groups, int64_t threads, const Phases&... phases) {
  const int64_t whole_rounds = groups - groups % threads;
  parallel_each(whole_rounds, [&](int64_t group) {
    const int64_t slot = this_thread();
    (phases.run(group, slot, int64_t{0}, phases.parts(group)), ...);
  });
  const int64_t left = groups - whole_rounds;
  if (left == 0) return;
  const auto run_together = [&](const auto& phase) {
    const int64_t shares =
        (2 * threads + left - 1) / left;  // of a group; two for each thread, so that none waits long
    parallel_each(left * shares, [&](int64_t i) {
      const int64_t slot = i / shares, share = i % shares, group = whole_rounds + slot;
      const int64_t parts = phase.parts(group);
      const int64_t first = parts * share / shares, last = parts * (share + 1) / shares;
      if (first < last) phase.run(group, slot, first, last);
    });
  };
  (run_together(phases), ...);
}

// Rows that are independent of each other, cut into groups as even as can be.
struct RowGroups {
  // About 128 rows: enough that reading the weights costs little, few enough that what is computed from them
  // stays in the second cache.
  RowGroups(int64_t row_count, int64_t threads)
      : rows(row_count), groups((rows + kMostRows - 1) / kMostRows) {
    if (groups > threads) groups = (groups + threads - 1) / threads * threads;
  }

  int64_t first(int64_t group) const { return rows * group / groups; }
  int64_t count(int64_t group) const { return first(group + 1) - first(group); }

  static constexpr int64_t kMostRows = 128;
  int64_t rows;
  int64_t groups;
};

}  // namespace swinzoo::backends
