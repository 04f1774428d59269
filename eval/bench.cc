#include "eval/bench.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <latch>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include "eval/statistics.h"
#include "formats/error.h"
#include "formats/start_thread.h"

namespace swinzoo::eval {
namespace {

void check_count(const char* what, int64_t count, int64_t least) {
  if (count < least || count > kMostIterations) {
    fail(ErrorCode::kUsage, "{}: expected {} to {}, found {}", what, least, kMostIterations, count);
  }
}

void check_number(const char* what, double number, const char* unit) {
  if (!(number >= 0)) fail(ErrorCode::kUsage, "{}: expected 0 or more {}, found {}", what, unit, number);
}

void check_options(const BenchOptions& options) {
  check_count("warm-up iterations", options.warmup, 0);
  check_number("warm-up", options.warmup_seconds, "seconds");
  check_number("longest warm-up", options.warmup_most_seconds, "seconds");
  check_number("stable warm-up", options.stable_percent.value_or(0), "percent");
  check_number("timed run", options.seconds, "seconds");
  check_number("longest timed run", options.most_seconds, "seconds");
  check_number("target error", options.target_error.value_or(0), "percent");
  check_count("least iterations", options.least_iterations, 1);
  if (options.iterations.has_value()) check_count("iterations", *options.iterations, 1);
}

double seconds_between(std::chrono::nanoseconds start, std::chrono::nanoseconds end) {
  return std::chrono::duration<double>(end - start).count();
}

double ms_between(std::chrono::nanoseconds start, std::chrono::nanoseconds end) {
  return std::chrono::duration<double, std::milli>(end - start).count();
}

// One stream's calls.
struct Calls {
  const std::function<void()>& body;
  const std::function<void()>& check;  // may be empty

  void check_result() const {
    if (check) check();
  }
};

// Returns how many calls it made.
int64_t warm_up(const Calls& calls, const BenchOptions& options, Clock& clock) {
  int64_t count = 0;
  bool is_stable = !options.stable_percent.has_value();
  std::optional<double> previous;  // the last window's median
  std::vector<double> window;
  const auto start = clock.now();
  auto window_start = start, now = start;
  const auto wants_more = [&] {
    const double seconds = seconds_between(start, now);
    if (count < options.warmup || seconds < options.warmup_seconds) return true;
    return !is_stable && seconds < options.warmup_most_seconds;
  };
  while (wants_more()) {
    const auto call_start = clock.now();
    calls.body();
    now = clock.now();
    ++count;
    calls.check_result();
    if (!options.stable_percent.has_value()) continue;
    window.push_back(ms_between(call_start, now));
    if (std::ssize(window) < kWindowCalls || seconds_between(window_start, now) < kWindowSeconds) continue;
    const double middle = median(window);
    is_stable = previous.has_value() &&
                100 * std::abs(middle - *previous) <= *options.stable_percent * std::min(middle, *previous);
    previous = middle;
    window.clear();
    window_start = now;
  }
  return count;
}

// Whether the median of all streams' calls is known well enough. Safe from any thread. One stream that stops
// as soon as that is so has samples whose error is that small.
class TargetError {
 public:
  explicit TargetError(const BenchOptions& options) : options_(options) {}

  // Takes a call's time.
  void add(double ms) {
    if (!options_.target_error.has_value()) return;
    const std::lock_guard lock(mutex_);
    ms_.push_back(ms);
  }

  // The error is looked at whenever there are a tenth more calls than the last time, so that sorting them all
  // takes little time and few looks are taken that chance could please.
  bool is_reached() {
    if (!options_.target_error.has_value()) return true;
    const std::lock_guard lock(mutex_);
    if (is_reached_ || ms_.size() < next_look_) return is_reached_;
    next_look_ = ms_.size() + std::max<size_t>(1, ms_.size() / 10);
    const auto error = median_error_percent(ms_);
    is_reached_ = error.has_value() && *error <= *options_.target_error;
    return is_reached_;
  }

 private:
  const BenchOptions& options_;
  std::mutex mutex_;
  std::vector<double> ms_;
  size_t next_look_ = 1;
  bool is_reached_ = false;
};

struct TimedCalls {
  std::vector<double> ms;
  std::chrono::nanoseconds start{}, end{};  // of all of them
};

TimedCalls time_calls(const Calls& calls, const BenchOptions& options, int64_t most, TargetError& target,
                      Clock& clock) {
  TimedCalls timed;
  timed.ms.reserve(static_cast<size_t>(options.iterations.value_or(most)));
  timed.start = timed.end = clock.now();
  const auto wants_more = [&] {
    const auto count = static_cast<int64_t>(timed.ms.size());
    if (options.iterations.has_value()) return count < *options.iterations;
    if (count >= most) return false;
    const double seconds = seconds_between(timed.start, timed.end);
    if (count < options.least_iterations || seconds < options.seconds) return true;
    return seconds < options.most_seconds && !target.is_reached();
  };
  while (wants_more()) {
    const auto start = clock.now();
    calls.body();
    timed.end = clock.now();
    timed.ms.push_back(ms_between(start, timed.end));
    calls.check_result();
    target.add(timed.ms.back());
  }
  return timed;
}

Samples samples_of(int64_t warmup, std::span<const TimedCalls> streams) {
  Samples samples{.warmup = warmup, .ms = {}, .seconds = 0};
  std::vector<double> first_halves, second_halves;
  auto start = streams.front().start, end = streams.front().end;
  for (const TimedCalls& stream : streams) {
    const auto half = stream.ms.begin() + std::ssize(stream.ms) / 2;
    first_halves.insert(first_halves.end(), stream.ms.begin(), half);
    second_halves.insert(second_halves.end(), half, stream.ms.end());
    samples.ms.insert(samples.ms.end(), stream.ms.begin(), stream.ms.end());
    start = std::min(start, stream.start);
    end = std::max(end, stream.end);
  }
  samples.seconds = seconds_between(start, end);
  if (first_halves.size() >= 2 && median(first_halves) > 0) {
    samples.drift = 100 * (median(second_halves) / median(first_halves) - 1);
  }
  return samples;
}

}  // namespace

Samples measure(const std::function<void()>& body, const BenchOptions& options, Clock& clock,
                const std::function<void()>& check) {
  check_options(options);
  const Calls calls{body, check};
  const int64_t warmup = warm_up(calls, options, clock);
  TargetError target(options);
  const TimedCalls timed = time_calls(calls, options, kMostIterations, target, clock);
  return samples_of(warmup, std::span(&timed, 1));
}

Samples measure_streams(const std::function<void(int stream)>& body, int streams, const BenchOptions& options,
                        Clock& clock, const std::function<void(int stream)>& check) {
  check_options(options);
  check_count("streams", streams, 1);
  const auto share = [&](int64_t calls) { return (calls + streams - 1) / streams; };
  BenchOptions each = options;
  each.least_iterations = share(options.least_iterations);
  if (options.iterations.has_value()) each.iterations = share(*options.iterations);

  const auto count = static_cast<size_t>(streams);
  std::vector<int64_t> warmups(count);
  std::vector<TimedCalls> timed(count);
  std::vector<std::exception_ptr> errors(count);
  TargetError target(options);
  std::latch all_warm(streams);
  std::atomic<bool> is_one_missing = false;
  const auto run = [&](int stream) {
    const auto mine = static_cast<size_t>(stream);
    const auto guarded = [&](const auto& work) {
      try {
        work();
      } catch (...) {
        errors[mine] = std::current_exception();
      }
    };
    const std::function<void()> my_body = [&] { body(stream); };
    const std::function<void()> my_check = [&] {
      if (check) check(stream);
    };
    const Calls calls{my_body, my_check};
    guarded([&] { warmups[mine] = warm_up(calls, each, clock); });
    all_warm.arrive_and_wait();
    if (errors[mine] || is_one_missing) return;
    guarded([&] { timed[mine] = time_calls(calls, each, share(kMostIterations), target, clock); });
  };
  {
    std::vector<std::jthread> threads;
    threads.reserve(count);
    int started = 0;
    try {
      for (; started < streams; ++started) threads.push_back(start_thread(run, started));
    } catch (...) {
      errors[static_cast<size_t>(started)] = std::current_exception();
      is_one_missing = true;
      all_warm.count_down(streams - started);
    }
  }

  int64_t warmup = 0;
  for (size_t stream = 0; stream < count; ++stream) {
    if (errors[stream]) std::rethrow_exception(errors[stream]);
    warmup += warmups[stream];
  }
  return samples_of(warmup, timed);
}

}  // namespace swinzoo::eval
