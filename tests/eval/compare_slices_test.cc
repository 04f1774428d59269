#include "eval/compare_slices.h"

#include <catch2/catch.hpp>
#include <map>

#include "tests/error_code.h"
#include "tests/eval/compare_simulation.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

Rules default_rules() {
  Rules rules;
  set_thresholds(rules, kDefaultFailOn, "default");
  return rules;
}

// A slice whose figures are given; the clock moves by a second with each.
struct MadeClock : Clock {
  std::chrono::nanoseconds now() override { return std::chrono::seconds(slices); }
  int slices = 0;
};

std::vector<Run> slice_of(double latency) {
  Run run;
  run.kind = "bench";
  run.model = "made";
  run.median_ms = latency;
  return {run};
}

}  // namespace

TEST_CASE("a hundred comparisons of the same on noisy machines never alarm") {
  const Endings endings = simulate(100, 0, 5000);
  CHECK(endings.regression == 0);
  CHECK(endings.better == 0);
  CHECK(endings.same >= 90);
}

TEST_CASE("a slowdown by 5% on noisy machines is found") {
  const Endings endings = simulate(60, 0.05, 6000);
  CHECK(endings.regression >= 55);
  CHECK(endings.better + endings.same == 0);
}

TEST_CASE("each round takes every side once, in an order by chance") {
  MadeClock clock;
  std::vector<size_t> sides;
  const Rules rules = default_rules();
  const auto take = [&](size_t side) {
    ++clock.slices;
    sides.push_back(side);
    return slice_of(2 + 0.001 * (clock.slices % 7));
  };
  const Comparison comparison = compare_slices({"a", "b", "c"}, take, clock, rules, {.seconds = 180});
  REQUIRE(comparison.results.size() == 2);
  CHECK(comparison.results[0].next == "b");
  CHECK(comparison.results[1].next == "c");
  REQUIRE(sides.size() == 60);  // a third of the time, as all are the same
  std::map<std::vector<size_t>, int> orders;
  for (size_t i = 0; i < sides.size(); i += 3) ++orders[{sides[i], sides[i + 1], sides[i + 2]}];
  CHECK(orders.size() > 3);
  for (const auto& [order, count] : orders)
    CHECK(std::is_permutation(order.begin(), order.end(), sides.begin()));
  CHECK(exit_status(comparison) == 0);
}

TEST_CASE("what is worse is measured again, and alarms only if it is so again") {
  const bool stays = GENERATE(true, false);
  MadeClock clock;
  const auto take = [&](size_t side) {
    const bool is_slow = side == 1 && (stays || clock.slices < 60);
    ++clock.slices;
    return slice_of((is_slow ? 2.2 : 2) * (1 + 0.0001 * (clock.slices % 7)));
  };
  const Comparison comparison = compare_slices({"a", "b"}, take, clock, default_rules(), {.seconds = 180});
  const MeasureResult& row = comparison.results.at(0).measures.at(0);
  CHECK(row.confirmed == stays);
  CHECK(row.verdict == (stays ? "worse" : "inconclusive"));
  CHECK(row.why.empty() == stays);
  CHECK(exit_status(comparison) == (stays ? 11 : 12));
  CHECK(clock.slices == (stays ? 120 : 180));  // what is not confirmed gets all the time there is
}

TEST_CASE("too few rounds are inconclusive") {
  MadeClock clock;
  const auto take = [&](size_t side) {
    ++clock.slices;
    return slice_of(side == 0 ? 2.0 : 3.0);
  };
  const Comparison comparison = compare_slices({"a", "b"}, take, clock, default_rules(), {.seconds = 15});
  CHECK(exit_status(comparison) == 12);
  CHECK_THAT(comparison.results.at(0).measures.at(0).why, Catch::Contains("too few rounds"));
}

TEST_CASE("slices that don't hold the same are refused") {
  MadeClock clock;
  int kind = 0;
  const auto take = [&](size_t side) {
    ++clock.slices;
    std::vector<Run> slice = slice_of(2);
    if (side == 1 && kind == 0) slice.clear();
    if (side == 1 && kind == 1) slice.front().median_ms.reset();
    return slice;
  };
  for (; kind < 2; ++kind) {
    const auto compare = [&] { compare_slices({"a", "b"}, take, clock, default_rules(), {}); };
    CHECK(code_of(compare) == ErrorCode::kFailed);
  }
}
