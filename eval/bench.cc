#include "eval/bench.h"

#include <algorithm>
#include <exception>
#include <latch>
#include <system_error>
#include <thread>
#include <utility>

#include "formats/error.h"

namespace swinzoo::eval {
namespace {

void check_count(const char* what, int64_t count, int64_t least) {
  if (count < least || count > kMostIterations) {
    fail(ErrorCode::kUsage, "{}: expected {} to {}, found {}", what, least, kMostIterations, count);
  }
}

void check_seconds(const char* what, double seconds) {
  if (!(seconds >= 0)) fail(ErrorCode::kUsage, "{}: expected 0 or more seconds, found {}", what, seconds);
}

double seconds_between(std::chrono::nanoseconds start, std::chrono::nanoseconds end) {
  return std::chrono::duration<double>(end - start).count();
}

void check(const BenchOptions& options) {
  check_count("warm-up iterations", options.warmup, 0);
  check_seconds("warm-up", options.warmup_seconds);
  check_seconds("timed run", options.seconds);
  check_count("least iterations", options.least_iterations, 1);
  if (options.iterations.has_value()) check_count("iterations", *options.iterations, 1);
}

// Returns how many calls it made.
int64_t warm_up(const std::function<void()>& body, const BenchOptions& options, Clock& clock) {
  int64_t calls = 0;
  const auto start = clock.now();
  while (calls < options.warmup || seconds_between(start, clock.now()) < options.warmup_seconds) {
    body();
    ++calls;
  }
  return calls;
}

struct TimedCalls {
  std::vector<double> ms;
  std::chrono::nanoseconds start{}, end{};  // of all of them
};

TimedCalls time_calls(const std::function<void()>& body, const BenchOptions& options, int64_t most,
                      Clock& clock) {
  TimedCalls calls;
  calls.ms.reserve(static_cast<size_t>(options.iterations.value_or(most)));
  calls.start = calls.end = clock.now();
  const auto wants_more = [&] {
    const auto count = static_cast<int64_t>(calls.ms.size());
    if (options.iterations.has_value()) return count < *options.iterations;
    if (count >= most) return false;
    return count < options.least_iterations || seconds_between(calls.start, calls.end) < options.seconds;
  };
  while (wants_more()) {
    const auto start = clock.now();
    body();
    calls.end = clock.now();
    calls.ms.push_back(std::chrono::duration<double, std::milli>(calls.end - start).count());
  }
  return calls;
}

}  // namespace

Samples measure(const std::function<void()>& body, const BenchOptions& options, Clock& clock) {
  check(options);
  const int64_t warmup = warm_up(body, options, clock);
  TimedCalls calls = time_calls(body, options, kMostIterations, clock);
  return {warmup, std::move(calls.ms), seconds_between(calls.start, calls.end)};
}

Samples measure_streams(const std::function<void(int stream)>& body, int streams, const BenchOptions& options,
                        Clock& clock) {
  check(options);
  check_count("streams", streams, 1);
  const auto share = [&](int64_t calls) { return (calls + streams - 1) / streams; };
  BenchOptions each = options;
  each.least_iterations = share(options.least_iterations);
  if (options.iterations.has_value()) each.iterations = share(*options.iterations);

  struct Stream {
    int64_t warmup = 0;
    TimedCalls calls;
    std::exception_ptr error;
  };
  std::vector<Stream> results(static_cast<size_t>(streams));
  std::latch all_warm(streams);
  const auto run = [&](int stream) {
    Stream& mine = results[static_cast<size_t>(stream)];
    const auto guarded = [&](const auto& work) {
      try {
        work();
      } catch (...) {
        mine.error = std::current_exception();
      }
    };
    const auto call = [&] { body(stream); };
    guarded([&] { mine.warmup = warm_up(call, each, clock); });
    all_warm.arrive_and_wait();
    if (mine.error) return;
    guarded([&] { mine.calls = time_calls(call, each, share(kMostIterations), clock); });
  };
  {
    std::vector<std::jthread> threads;
    int started = 0;
    try {
      for (; started < streams; ++started) threads.emplace_back(run, started);
    } catch (const std::system_error&) {
      results[static_cast<size_t>(started)].error = std::current_exception();
      all_warm.count_down(streams - started);
    }
  }

  Samples samples;
  auto start = results.front().calls.start, end = results.front().calls.end;
  for (const Stream& stream : results) {
    if (stream.error) std::rethrow_exception(stream.error);
    samples.warmup += stream.warmup;
    samples.ms.insert(samples.ms.end(), stream.calls.ms.begin(), stream.calls.ms.end());
    start = std::min(start, stream.calls.start);
    end = std::max(end, stream.calls.end);
  }
  samples.seconds = seconds_between(start, end);
  return samples;
}

}  // namespace swinzoo::eval
