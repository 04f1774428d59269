// What else the machine did while something was timed: other programs, other virtual machines, a container's
// quota. From the system's own counters, read right before and after.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace swinzoo::eval {

// The first line of /proc/stat (proc(5)): time of all processors together since the machine started, seconds.
struct ProcessorTimes {
  double busy = 0;   // user, nice, system, irq, softirq: of all programs
  double idle = 0;   // idle, iowait
  double steal = 0;  // other virtual machines had the processor
};
std::optional<ProcessorTimes> parse_proc_stat(std::string_view proc_stat, double ticks_per_second);

struct SystemCounters {
  std::optional<ProcessorTimes> processors;
  double own_seconds = 0;        // processor time of this process
  int64_t context_switches = 0;  // of this process, that it did not ask for
  std::optional<int64_t> throttled;
};

// Reads them now. Safe from any thread.
SystemCounters system_counters();

struct Disturbance {
  std::optional<double> steal;       // percent of the time of all processors
  std::optional<double> other_load;  // processors that other programs kept busy, on average
  double own_seconds = 0;
  int64_t context_switches = 0;
  std::optional<int64_t> throttled;
};

// What lies between. Counters of a hundredth of a second don't tell shares of less than about a second well.
Disturbance disturbance_between(const SystemCounters& before, const SystemCounters& after);

// More than this is seen in the times of what ran meanwhile.
inline constexpr double kMostOtherLoad = 0.1;  // processors
inline constexpr double kMostSteal = 1;        // percent

inline bool is_disturbed(const Disturbance& found) {
  return found.other_load.value_or(0) > kMostOtherLoad || found.steal.value_or(0) > kMostSteal;
}

}  // namespace swinzoo::eval
