#include "eval/memory.h"

#include <algorithm>
#include <string>

#include "eval/machine.h"
#include "eval/system_files.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {
namespace {

std::optional<int64_t> smaller(std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

std::optional<int64_t> cgroup_memory_left(const fs::path& mount, std::string_view self_cgroup) {
  const size_t at = self_cgroup.find("0::/");  // v2's only line (cgroups(7))
  if (at == std::string_view::npos) return std::nullopt;
  self_cgroup.remove_prefix(at + 4);
  std::optional<int64_t> least;
  // In a container the path may be the host's, and only the root be there.
  for (fs::path group = self_cgroup.substr(0, self_cgroup.find('\n'));; group = group.parent_path()) {
    const fs::path folder = mount / group;
    const auto most =
        number_of<int64_t>(read_system_line(folder / "memory.max"));  // "max" where there is none
    const auto used = number_of<int64_t>(read_system_line(folder / "memory.current"));
    if (most && used) {
      const auto inactive = number_behind(read_system_file(folder / "memory.stat"), "inactive_file");
      least = smaller(least, std::max<int64_t>(0, *most - *used + inactive.value_or(0)));
    }
    if (group.empty()) return least;
  }
}

std::optional<int64_t> available_memory() {
  std::optional<int64_t> system = parse_kib(read_system_file("/proc/meminfo"), "MemAvailable");
  if (system) *system *= 1024;
  return smaller(system, cgroup_memory_left("/sys/fs/cgroup", read_system_file("/proc/self/cgroup")));
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
