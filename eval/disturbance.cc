#include "eval/disturbance.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "eval/cgroup.h"
#include "eval/system_files.h"

namespace swinzoo::eval {

std::optional<ProcessorTimes> parse_proc_stat(std::string_view proc_stat, double ticks_per_second) {
  std::string_view line = take(proc_stat, '\n');
  if (take(line, ' ') != "cpu") return std::nullopt;
  std::array<double, 8> seconds{};  // user nice system idle iowait irq softirq steal
  for (double& each : seconds) {
    line = trimmed(line);
    const auto ticks = number_of<int64_t>(take(line, ' '));
    if (!ticks.has_value()) return std::nullopt;
    each = static_cast<double>(*ticks) / ticks_per_second;
  }
  const auto& [user, nice, system, idle, iowait, irq, softirq, steal] = seconds;
  return ProcessorTimes{user + nice + system + irq + softirq, idle + iowait, steal};
}

SystemCounters system_counters() {
  SystemCounters counters;
  counters.processors =
      parse_proc_stat(read_system_file("/proc/stat"), static_cast<double>(::sysconf(_SC_CLK_TCK)));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  counters.own_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  counters.context_switches = usage.ru_nivcsw;
  counters.throttled = own_throttled();
  return counters;
}

Disturbance disturbance_between(const SystemCounters& before, const SystemCounters& after) {
  Disturbance found;
  found.own_seconds = after.own_seconds - before.own_seconds;
  found.context_switches = after.context_switches - before.context_switches;
  if (before.throttled && after.throttled) found.throttled = *after.throttled - *before.throttled;
  if (!before.processors || !after.processors) return found;
  const double busy = after.processors->busy - before.processors->busy;
  const double steal = after.processors->steal - before.processors->steal;
  const double all = busy + steal + after.processors->idle - before.processors->idle;
  if (all <= 0) return found;
  found.steal = 100 * steal / all;
  // Of all processors' time, the share that others had, times how many there are.
  const double processors = static_cast<double>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  found.other_load = std::max(0.0, busy - found.own_seconds) / all * processors;
  return found;
}

}  // namespace swinzoo::eval
