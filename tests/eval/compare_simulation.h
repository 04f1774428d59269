// Whole comparisons of slices on made-up machines, counted by how they end.
#pragma once

#include "eval/compare_runs.h"
#include "eval/compare_slices.h"
#include "formats/error.h"
#include "tests/eval/made_machine.h"

namespace swinzoo::eval {

struct Endings {
  int same = 0;          // status 0, and nothing is better
  int better = 0;        // time is
  int regression = 0;    // status 10 or 11
  int inconclusive = 0;  // status 12

  void add(const Comparison& comparison) {
    const int status = exit_status(comparison);
    if (comparison.results.at(0).measures.at(0).verdict == "better") {
      ++better;
    } else if (status == 0) {
      ++same;
    } else if (status == static_cast<int>(ErrorCode::kInconclusive)) {
      ++inconclusive;
    } else {
      ++regression;
    }
  }
};

// At the defaults, which give each 60 s at most on a machine of its own.
inline Endings simulate(int calls, double slowdown, uint64_t first_seed, double slice_seconds = 0.15) {
  Rules rules;
  set_thresholds(rules, kDefaultFailOn, "default");
  Endings endings;
  for (int i = 0; i < calls; ++i) {
    MadeMachine machine(first_seed + static_cast<uint64_t>(i), slowdown, slice_seconds);
    SliceOptions options;
    options.bootstrap.seed = first_seed + static_cast<uint64_t>(i);
    const Comparison comparison = compare_slices(
        {"base", "new"}, [&](size_t side) { return machine.take(side); }, machine, rules, options);
    endings.add(comparison);
  }
  return endings;
}

// A bench of 3 s on the machine as it is now.
inline Run made_bench_of(MadeMachine& machine) {
  Run run = machine.take(0).front();
  run.samples_ms.clear();
  for (int slice = 0; slice < 20; ++slice) {
    const double latency = *machine.take(0).front().median_ms;
    for (int call = 0; call < 30; ++call) run.samples_ms.push_back(latency * (1 + 0.001 * (call % 11)));
  }
  return run;
}

// The same: two results of one thing, up to a minute apart.
inline Endings simulate_apart(int calls, uint64_t first_seed) {
  Rules rules;
  set_thresholds(rules, kDefaultFailOn, "default");
  Endings endings;
  for (int i = 0; i < calls; ++i) {
    MadeMachine machine(first_seed + static_cast<uint64_t>(i), 0);
    const ComparedSide base = {"base", {made_bench_of(machine)}};
    for (int slice = 0; slice < i % 400; ++slice) machine.take(0);
    const ComparedSide next = {"new", {made_bench_of(machine)}};
    endings.add(compare_runs(base, std::span(&next, 1), rules, {}));
  }
  return endings;
}

}  // namespace swinzoo::eval
