#include "eval/warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace swinzoo::eval {
namespace {

constexpr double kMostDrift = 2;  // percent, and as many times the median's error
constexpr int64_t kLeastCalls = 10;

}  // namespace

std::vector<std::string> warnings_of(const Run& run, std::optional<double> target_error) {
  std::vector<std::string> found;
  const auto warn = [&]<typename... Args>(fmt::format_string<Args...> text, Args&&... args) {
    found.push_back(fmt::format(text, std::forward<Args>(args)...));
  };
  if (!run.sanitizer.empty()) {
    warn("built with a sanitizer ({}), which makes everything slower: time a release build", run.sanitizer);
  } else if (!run.build_type.empty() && run.build_type != "Release") {
    warn("a {} build: time a release build (cmake --preset release)", run.build_type);
  }
  if (!run.governor.empty() && run.governor != "performance") {
    warn(
        "the frequency governor is '{}', so the clock changes with the load: 'cpupower frequency-set -g "
        "performance' "
        "holds it",
        run.governor);
  }
  if (run.turbo.value_or(false)) {
    warn(
        "turbo is on, so the clock depends on heat and on how many cores work: for comparing, switch it off "
        "(0 in "
        "/sys/devices/system/cpu/cpufreq/boost, or 1 in .../intel_pstate/no_turbo)");
  }
  if (run.threads.value_or(0) > run.cores.value_or(run.threads.value_or(0))) {
    warn("{} threads on {} cores take turns: use no more threads than 'swinzoo env' says are available",
         *run.threads, *run.cores);
  }
  if (run.other_load.value_or(0) > kMostOtherLoad) {
    warn(
        "other programs kept {:.1f} processors busy meanwhile: end them, or measure again when they are over",
        *run.other_load);
  }
  if (run.steal.value_or(0) > kMostSteal) {
    warn(
        "other virtual machines took {:.1f}% of the processors' time (steal): repeat it, or use a machine of "
        "your own",
        *run.steal);
  }
  if (run.throttled.value_or(0) > 0) {
    warn("the container's quota stopped the process {} times: use fewer threads, or a larger quota",
         *run.throttled);
  }
  const double error = run.median_error.value_or(0);
  const double drift = run.median_error.has_value() ? run.drift.value_or(0) : 0;
  if (std::abs(drift) > kMostDrift * std::max(1.0, error)) {
    warn(
        "the second half of the calls was {:.1f}% {} than the first: the machine was not in a steady state; "
        "use a "
        "longer --warmup, or let it cool",
        std::abs(drift), drift > 0 ? "slower" : "faster");
  }
  if (run.iterations.value_or(kLeastCalls) < kLeastCalls) {
    warn("{} calls are too few to tell how much they vary: use 10 or more", *run.iterations);
  } else if (target_error.has_value() && error > *target_error) {
    warn(
        "the median is known to {:.1f}% only, and {:g}% was the target: use a longer --max-seconds, or a "
        "quieter "
        "machine",
        error, *target_error);
  }
  return found;
}

}  // namespace swinzoo::eval
