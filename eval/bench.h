// The timing loop: how long one call of something takes, again and again. It knows nothing of models.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace swinzoo::eval {

// Where the loop takes the time from, so that a test can make it up.
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
  std::vector<double> ms;  // of each timed call, in their order
};

// Calls `body` as the options say. Between two looks at the clock there is nothing but the call; room for the
// samples is made before the first one. Passes on what `body` throws. Throws kUsage on counts that are
// negative, not a number, zero timed calls, or more than kMostIterations.
Samples measure(const std::function<void()>& body, const BenchOptions& options, Clock& clock);

}  // namespace swinzoo::eval
