#include "eval/bench.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <latch>
#include <numeric>
#include <stdexcept>

#include "eval/statistics.h"
#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/no_threads.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using namespace std::chrono_literals;

namespace {

// Time passes only where a test says so.
class FakeClock : public Clock {
 public:
  std::chrono::nanoseconds now() override {
    ++looks;
    return time;
  }

  std::chrono::nanoseconds time = 1h;
  int looks = 0;
};

BenchOptions options_of(int64_t warmup, double warmup_seconds) {
  BenchOptions options;
  options.warmup = warmup;
  options.warmup_seconds = warmup_seconds;
  return options;
}

}  // namespace

TEST_CASE("a counted loop calls the body warm-up plus iterations times and times the latter") {
  FakeClock clock;
  int calls = 0;
  const auto body = [&] { clock.time += ++calls * 1ms; };
  BenchOptions options = options_of(2, 0);
  options.iterations = 4;
  options.seconds = 1e9;
  const Samples samples = measure(body, options, clock);
  CHECK(calls == 6);
  CHECK(samples.warmup == 2);
  CHECK(samples.ms == std::vector<double>{3, 4, 5, 6});
  CHECK(samples.seconds == Approx(0.018));
}

TEST_CASE("a timed loop runs until the time has passed") {
  FakeClock clock;
  const Samples samples = measure([&] { clock.time += 100ms; }, options_of(0, 0), clock);
  CHECK(samples.warmup == 0);
  CHECK(samples.ms.size() == 30);  // 3 s
}

TEST_CASE("a timed loop of a slow body still makes the least number of iterations") {
  FakeClock clock;
  const Samples samples = measure([&] { clock.time += 10s; }, options_of(1, 0), clock);
  CHECK(samples.warmup == 1);
  CHECK(samples.ms == std::vector<double>(10, 10000.0));
}

TEST_CASE("a timed loop of a body that takes no time ends") {
  FakeClock clock;
  const Samples samples = measure([] {}, options_of(0, 0), clock);
  CHECK(samples.ms.size() == static_cast<size_t>(kMostIterations));
}

TEST_CASE("warm-up reaches both its count and its time") {
  FakeClock clock;
  BenchOptions options = options_of(3, 0.5);
  options.iterations = 1;
  CHECK(measure([&] { clock.time += 100ms; }, options, clock).warmup == 5);
  CHECK(measure([&] { clock.time += 1s; }, options, clock).warmup == 3);
}

TEST_CASE("the clock is looked at twice a timed call and right around it") {
  FakeClock clock;
  std::vector<int> looks;
  BenchOptions options = options_of(0, 0);
  options.iterations = 3;
  measure([&] { looks.push_back(clock.looks); }, options, clock);
  REQUIRE(looks.size() == 3);
  CHECK(looks[1] - looks[0] == 2);
  CHECK(looks[2] - looks[1] == 2);
  CHECK(clock.looks == looks[2] + 1);
}

TEST_CASE("samples never move while the loop runs") {
  FakeClock clock;
  BenchOptions options = options_of(0, 0);
  options.iterations = 1000;
  CHECK(measure([] {}, options, clock).ms.capacity() == 1000);
}

TEST_CASE("streams run at the same time, share the calls and are timed together") {
  SteadyClock clock;
  BenchOptions options = options_of(2, 0);
  options.iterations = 7;
  std::vector<int> calls(3);
  std::latch all_called(3);
  const auto body = [&](int stream) {
    if (++calls[static_cast<size_t>(stream)] == 3)
      all_called.arrive_and_wait();  // none is over before the others
  };
  const Samples samples = measure_streams(body, 3, options, clock);
  CHECK(calls == std::vector<int>{5, 5, 5});  // 2, and 3 of the 7 rounded up
  CHECK(samples.warmup == 6);
  REQUIRE(samples.ms.size() == 9);
  const double sum_ms = std::accumulate(samples.ms.begin(), samples.ms.end(), 0.0);
  CHECK(samples.seconds * 1000 >= *std::max_element(samples.ms.begin(), samples.ms.end()));
  CHECK(samples.seconds * 1000 * 3 >= sum_ms);
}

TEST_CASE("streams without a count make at least ten calls together") {
  SteadyClock clock;
  BenchOptions options = options_of(0, 0);
  options.seconds = 0;
  CHECK(measure_streams([](int) {}, 4, options, clock).ms.size() == 12);
  CHECK(measure_streams([](int) {}, 1, options, clock).ms.size() == 10);
}

TEST_CASE("what a stream throws is passed on, in the warm-up too, when the others are over") {
  SteadyClock clock;
  BenchOptions options = options_of(1, 0);
  options.iterations = 6;
  for (const int failing_call : {1, 2}) {
    std::atomic<int> others = 0;
    std::vector<int> calls(2);
    const auto body = [&](int stream) {
      if (++calls[static_cast<size_t>(stream)] == failing_call && stream == 1) throw std::runtime_error("no");
      if (stream == 0) ++others;
    };
    CHECK_THROWS_AS(measure_streams(body, 2, options, clock), std::runtime_error);
    CHECK(others == 4);
  }
}

TEST_CASE("warm-up goes on until two windows' medians agree, and no longer than its bound") {
  FakeClock clock;
  BenchOptions options = options_of(0, 0);
  options.iterations = 1;
  options.stable_percent = 2;
  // Calls of 100 ms: a window is 3 of them. The first two windows are far apart, the next two are near.
  std::vector<int> ms = {300, 300, 300, 100, 100, 100, 101, 101, 101};
  size_t next = 0;
  const auto settling = [&] { clock.time += std::chrono::milliseconds(ms[std::min(next++, ms.size() - 1)]); };
  CHECK(measure(settling, options, clock).warmup == 9);
  CHECK(measure([&] { clock.time += 100ms; }, options, clock).warmup == 6);
  CHECK(measure([&] { clock.time += 10ms; }, options, clock).warmup == 40);  // 20 calls are 0.2 s

  int64_t calls = 0;
  const auto restless = [&] { clock.time += ++calls / 3 % 2 == 0 ? 100ms : 110ms; };
  options.warmup_most_seconds = 3;
  const int64_t warmup = measure(restless, options, clock).warmup;
  CHECK(warmup >= 27);
  CHECK(warmup <= 30);
}

TEST_CASE("a loop with a target error ends once the median is known so well, or at its bound") {
  FakeClock clock;
  BenchOptions options = options_of(0, 0);
  options.seconds = 0.5;
  options.target_error = 1;
  options.most_seconds = 10;
  CHECK(measure([&] { clock.time += 10ms; }, options, clock).ms.size() == 50);  // all alike: the least time

  int64_t calls = 0;  // 100 ms, and every other call more: the interval is wide until there are many calls
  const auto noisy = [&] { clock.time += 95ms + (++calls * 7919 % 11) * 1ms; };
  const Samples samples = measure(noisy, options, clock);
  CHECK(samples.ms.size() > 10);
  CHECK(samples.ms.size() < 100);
  CHECK(*median_error_percent(samples.ms) <= 1);

  options.target_error = 0.001;
  CHECK(measure(noisy, options, clock).ms.size() == 100);  // 10 s of 100 ms on average
}

TEST_CASE("an error that was small at first and is no more does not end a loop") {
  FakeClock clock;
  BenchOptions options = options_of(0, 0);
  options.seconds = 0.5;
  options.target_error = 1;
  options.most_seconds = 10;
  int64_t calls = 0;
  const auto slower = [&] { clock.time += ++calls <= 12 ? 10ms : 20ms + (calls * 7919 % 101) * 20us; };
  const Samples samples = measure(slower, options, clock);
  CHECK(samples.seconds < 10);
  CHECK(*median_error_percent(samples.ms) <= 1);
}

TEST_CASE("streams with a target error end together") {
  SteadyClock clock;
  BenchOptions options = options_of(0, 0);
  options.seconds = 0;
  options.most_seconds = 60;
  options.target_error = 1e6;
  const size_t calls = measure_streams([](int) {}, 3, options, clock).ms.size();
  CHECK(calls >= 12);
  CHECK(calls < 100'000);
}

TEST_CASE("what is checked comes after each call, outside of its time, and may end the loop") {
  FakeClock clock;
  BenchOptions options = options_of(2, 0);
  options.iterations = 3;
  int calls = 0, checks = 0;
  const auto body = [&] {
    ++calls;
    clock.time += 1ms;
  };
  const Samples samples = measure(body, options, clock, [&] {
    CHECK(++checks == calls);
    clock.time += 1s;
  });
  CHECK(checks == 5);
  CHECK(samples.ms == std::vector<double>{1, 1, 1});
  CHECK_THROWS_AS(measure(body, options, clock, [] { throw std::runtime_error("wrong"); }),
                  std::runtime_error);

  SteadyClock steady;
  const auto wrong = [](int stream) {
    if (stream == 1) throw std::runtime_error("wrong");
  };
  CHECK_THROWS_AS(measure_streams([](int) {}, 2, options, steady, wrong), std::runtime_error);
}

TEST_CASE("streams that can't be started are an error that says so") {
  SteadyClock clock;
  std::atomic<int> calls = 0;
  const auto body = [&](int) { ++calls; };
  {
    const NoThreads none;
    try {
      measure_streams(body, 3, options_of(1, 0), clock);
      FAIL("measured");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::kFailed);
      CHECK_THAT(error.what(), Catch::Contains("no more threads can be started: ") &&
                                   Catch::Contains("unavailable") && Catch::Contains("ulimit -u"));
    }
    CHECK(calls == 0);
  }
  BenchOptions options = options_of(1, 0);
  options.iterations = 3;
  CHECK(measure_streams(body, 3, options, clock).ms.size() == 3);
}

TEST_CASE("drift is how much slower the second half was") {
  FakeClock clock;
  BenchOptions options = options_of(0, 0);
  options.iterations = 6;
  int64_t calls = 0;
  const auto slowing = [&] { clock.time += ++calls > 3 ? 110ms : 100ms; };
  CHECK(*measure(slowing, options, clock).drift == Approx(10));
  options.iterations = 3;
  CHECK_FALSE(measure(slowing, options, clock).drift.has_value());
}

TEST_CASE("a body that throws ends the loop") {
  FakeClock clock;
  CHECK_THROWS_AS(measure([] { throw std::runtime_error("no"); }, {}, clock), std::runtime_error);
}

TEST_CASE("bad bench options are a usage error") {
  FakeClock clock;
  std::vector<BenchOptions> bad(11);
  bad[0].iterations = 0;
  bad[1].iterations = kMostIterations + 1;
  bad[2].warmup = -1;
  bad[3].seconds = std::nan("");
  bad[4].seconds = -1;
  bad[5].warmup_seconds = -0.5;
  bad[6].least_iterations = 0;
  bad[7].target_error = -1;
  bad[8].stable_percent = std::nan("");
  bad[9].most_seconds = -1;
  bad[10].warmup_most_seconds = std::nan("");
  for (const BenchOptions& options : bad) {
    try {
      measure([] {}, options, clock);
      FAIL("not refused");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::kUsage);
    }
    CHECK(code_of([&] { measure_streams([](int) {}, 2, options, clock); }) == ErrorCode::kUsage);
  }
  CHECK(code_of([&] { measure_streams([](int) {}, 0, {}, clock); }) == ErrorCode::kUsage);
}

TEST_CASE("the steady clock goes on") {
  SteadyClock clock;
  const auto first = clock.now();
  CHECK(clock.now() >= first);
}
