#include "eval/bench.h"

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

}  // namespace

Samples measure(const std::function<void()>& body, const BenchOptions& options, Clock& clock) {
  check_count("warm-up iterations", options.warmup, 0);
  check_seconds("warm-up", options.warmup_seconds);
  check_seconds("timed run", options.seconds);
  check_count("least iterations", options.least_iterations, 1);
  if (options.iterations.has_value()) check_count("iterations", *options.iterations, 1);

  Samples samples;
  samples.ms.reserve(static_cast<size_t>(options.iterations.value_or(kMostIterations)));

  const auto warmup_start = clock.now();
  while (samples.warmup < options.warmup ||
         seconds_between(warmup_start, clock.now()) < options.warmup_seconds) {
    body();
    ++samples.warmup;
  }

  const auto timed_start = clock.now();
  const auto wants_more = [&](std::chrono::nanoseconds now) {
    const auto count = static_cast<int64_t>(samples.ms.size());
    if (options.iterations.has_value()) return count < *options.iterations;
    if (count >= kMostIterations) return false;
    return count < options.least_iterations || seconds_between(timed_start, now) < options.seconds;
  };
  for (auto end = timed_start; wants_more(end);) {
    const auto start = clock.now();
    body();
    end = clock.now();
    samples.ms.push_back(std::chrono::duration<double, std::milli>(end - start).count());
  }
  return samples;
}

}  // namespace swinzoo::eval
