#include "eval/cgroup.h"

#include <algorithm>
#include <functional>
#include <string>

#include "eval/system_files.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {
namespace {

constexpr const char* kMount = "/sys/fs/cgroup";

std::string self_cgroup() { return read_system_file("/proc/self/cgroup"); }

template <typename T>
std::optional<T> smaller(std::optional<T> a, std::optional<T> b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() ? a : b;
  return std::min(*a, *b);
}

// Calls visit(folder, is_v2) for the process's group of a controller, and for each above it.
void for_each_group(const fs::path& mount, std::string_view self_cgroup, const std::string& controller,
                    const std::function<void(const fs::path& folder, bool is_v2)>& visit) {
  while (!self_cgroup.empty()) {
    // ID:CONTROLLERS:PATH; in v2, and in v1's unified hierarchy, there are no controllers (cgroups(7)).
    std::string_view path = take(self_cgroup, '\n');
    take(path, ':');
    const std::string controllers = "," + std::string(take(path, ':')) + ",";
    const bool is_v2 = controllers == ",,";
    if (!is_v2 && controllers.find("," + controller + ",") == std::string::npos) continue;
    // In a container the path may be the host's, and only the root be there.
    for (fs::path group = fs::path(path).relative_path();; group = group.parent_path()) {
      visit(is_v2 ? mount / group : mount / controller / group, is_v2);
      if (group.empty()) break;
    }
  }
}

// Of one group.
std::optional<int64_t> memory_limit(const fs::path& folder, bool is_v2) {
  constexpr int64_t kNoLimit = int64_t{1} << 62;  // v1 says the largest number of whole pages, v2 "max"
  const auto limit =
      number_of<int64_t>(read_system_file(folder / (is_v2 ? "memory.max" : "memory.limit_in_bytes")));
  return limit.value_or(kNoLimit) < kNoLimit ? limit : std::nullopt;
}

}  // namespace

std::optional<double> parse_cpu_max(std::string_view cpu_max) {
  std::string_view rest = trimmed(cpu_max);
  const std::string_view quota = take(rest, ' ');
  return parse_cfs_quota(quota, rest);
}

std::optional<double> parse_cfs_quota(std::string_view quota, std::string_view period) {
  const auto microseconds = number_of<int64_t>(quota);  // v1 says -1, v2 "max", where there is no limit
  const auto each = number_of<int64_t>(period);
  if (!microseconds.has_value() || !each.has_value() || *microseconds <= 0 || *each <= 0) return std::nullopt;
  return static_cast<double>(*microseconds) / static_cast<double>(*each);
}

std::optional<double> cgroup_quota(const fs::path& mount, std::string_view self_cgroup) {
  std::optional<double> least;
  for_each_group(mount, self_cgroup, "cpu", [&](const fs::path& folder, bool is_v2) {
    least = smaller(least, is_v2 ? parse_cpu_max(read_system_file(folder / "cpu.max"))
                                 : parse_cfs_quota(read_system_file(folder / "cpu.cfs_quota_us"),
                                                   read_system_file(folder / "cpu.cfs_period_us")));
  });
  return least;
}

std::optional<int64_t> cgroup_memory_limit(const fs::path& mount, std::string_view self_cgroup) {
  std::optional<int64_t> least;
  for_each_group(mount, self_cgroup, "memory", [&](const fs::path& folder, bool is_v2) {
    least = smaller(least, memory_limit(folder, is_v2));
  });
  return least;
}

std::optional<int64_t> cgroup_memory_left(const fs::path& mount, std::string_view self_cgroup) {
  std::optional<int64_t> least;
  for_each_group(mount, self_cgroup, "memory", [&](const fs::path& folder, bool is_v2) {
    const auto limit = memory_limit(folder, is_v2);
    const auto used =
        number_of<int64_t>(read_system_file(folder / (is_v2 ? "memory.current" : "memory.usage_in_bytes")));
    if (!limit.has_value() || !used.has_value()) return;
    const auto inactive = number_behind(read_system_file(folder / "memory.stat"),
                                        is_v2 ? "inactive_file" : "total_inactive_file");
    least = smaller(least, std::optional(std::max<int64_t>(0, *limit - *used + inactive.value_or(0))));
  });
  return least;
}

std::optional<int64_t> cgroup_throttled(const fs::path& mount, std::string_view self_cgroup) {
  std::optional<int64_t> sum;
  for_each_group(mount, self_cgroup, "cpu", [&](const fs::path& folder, bool) {
    const auto times = number_behind(read_system_file(folder / "cpu.stat"), "nr_throttled");
    if (times.has_value()) sum = sum.value_or(0) + *times;
  });
  return sum;
}

std::optional<double> own_quota() { return cgroup_quota(kMount, self_cgroup()); }
std::optional<int64_t> own_memory_limit() { return cgroup_memory_limit(kMount, self_cgroup()); }
std::optional<int64_t> own_memory_left() { return cgroup_memory_left(kMount, self_cgroup()); }
std::optional<int64_t> own_throttled() { return cgroup_throttled(kMount, self_cgroup()); }

}  // namespace swinzoo::eval
