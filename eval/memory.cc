#include "eval/memory.h"

#include <algorithm>

#include "eval/cgroup.h"
#include "eval/machine.h"
#include "eval/system_files.h"

namespace swinzoo::eval {

std::optional<int64_t> available_memory() {
  std::optional<int64_t> available = parse_kib(read_system_file("/proc/meminfo"), "MemAvailable");
  if (available) *available *= 1024;
  const std::optional<int64_t> left = own_memory_left();
  return available && left ? std::min(*available, *left) : available ? available : left;
}

int64_t bytes_of_input(const backends::Plan& plan) {
  int64_t largest = 0;
  for (const backends::Step& step : plan.steps) {
    largest = std::max(largest, element_count(plan.value(step.output).shape));
  }
  return static_cast<int64_t>(sizeof(float)) * (2 * element_count(plan.input_shape(1)) + 2 * largest);
}

int64_t fitting_batch(int64_t wanted, int64_t bytes_of_each, std::optional<int64_t> available) {
  if (!available) return wanted;
  return std::clamp<int64_t>(*available / 4 * 3 / bytes_of_each, 1, wanted);
}

}  // namespace swinzoo::eval
