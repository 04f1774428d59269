// The timing loop: how long one call of something takes, again and again. It knows nothing of models.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace swinzoo::eval {

// Where the loop takes the time from, so that a test can make it up. measure_streams() needs one that is safe
// from any thread, as SteadyClock is.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::nanoseconds now() = 0;  // since any fixed point; never goes back
};

class SteadyClock : public Clock {
 public:
  std::chrono::nanoseconds now() override { return std::chrono::steady_clock::now().time_since_epoch(); }
};

struct BenchOptions {
  // Untimed calls first: until both are reached.
  int64_t warmup = 3;
  double warmup_seconds = 0.5;

  // Timed calls: this many; or, where not given, until both `seconds` and `least_iterations` are reached.
  std::optional<int64_t> iterations;
  double seconds = 3;
  int64_t least_iterations = 10;
};

// A loop ends here whatever its options say; its samples take 8 MB then.
inline constexpr int64_t kMostIterations = 1'000'000;

struct Samples {
  int64_t warmup = 0;      // untimed calls made
  std::vector<double> ms;  // of each timed call, in their order; stream by stream where there are several
  double seconds = 0;      // from the first timed call's start to the last one's end
};

// Calls `body` as the options say. Between two looks at the clock there is nothing but the call; room for the
// samples is made before the first one. Passes on what `body` throws. Throws kUsage on counts that are
// negative, not a number, zero timed calls, or more than kMostIterations.
Samples measure(const std::function<void()>& body, const BenchOptions& options, Clock& clock);

// The same on several threads at once: each calls body(stream), with its own number from 0 on. All make the
// warm-up calls that the options say, and wait for each other before the first timed one. The timed calls are
// shared between the streams, rounded up to as many for each; where the options give a time, each takes that
// long. Passes on what one of the calls throws, when all streams are over.
Samples measure_streams(const std::function<void(int stream)>& body, int streams, const BenchOptions& options,
                        Clock& clock);

}  // namespace swinzoo::eval
