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
  // Untimed calls first: until both are reached ...
  int64_t warmup = 3;
  double warmup_seconds = 0.5;
  // ... and, where this is given, until the medians of two successive windows of calls (of kWindowCalls and
  // kWindowSeconds at least) differ by less than so many percent; that goes on for warmup_most_seconds at
  // most.
  std::optional<double> stable_percent;
  double warmup_most_seconds = 5;

  // Timed calls: this many; or, where not given, until both `seconds` and `least_iterations` are reached ...
  std::optional<int64_t> iterations;
  double seconds = 3;
  int64_t least_iterations = 10;
  // ... and, where this is given, until median_error_percent() of all calls' times is at most this; that goes
  // on for most_seconds at most.
  std::optional<double> target_error;
  double most_seconds = 10;
};

// A loop ends here whatever its options say; its samples take 8 MB then.
inline constexpr int64_t kMostIterations = 1'000'000;

inline constexpr int64_t kWindowCalls = 3;
inline constexpr double kWindowSeconds = 0.2;

struct Samples {
  int64_t warmup = 0;      // untimed calls made
  std::vector<double> ms;  // of each timed call, in their order; stream by stream where there are several
  double seconds = 0;      // from the first timed call's start to the last one's end
  // How much slower the second half of each stream's calls was than the first: medians, percent. Nothing
  // below 4 calls.
  std::optional<double> drift = {};
};

// Calls `body` as the options say. Between two looks at the clock there is nothing but the call; room for the
// samples is made before the first one. After each call, untimed ones too, and outside of its time, comes
// `check`, where there is one. Passes on what they throw. Throws kUsage on counts that are negative, not a
// number, zero timed calls, or more than kMostIterations.
Samples measure(const std::function<void()>& body, const BenchOptions& options, Clock& clock,
                const std::function<void()>& check = {});

// The same on several threads at once: each calls body(stream) and check(stream), with its own number from 0
// on. All make the warm-up calls that the options say, and wait for each other before the first timed one. A
// number of timed calls is shared between the streams, rounded up to as many for each; where the options give
// a time, each takes that long; where they give an error, all go on until their calls together reach it.
// Passes on what one of the calls throws, when all streams are over. Throws kFailed where the system gives no
// thread for one of them; then nothing was timed.
Samples measure_streams(const std::function<void(int stream)>& body, int streams, const BenchOptions& options,
                        Clock& clock, const std::function<void(int stream)>& check = {});

}  // namespace swinzoo::eval
