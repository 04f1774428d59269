// What the control groups (cgroups(7)) allow this process: a container's limits.
//
// The functions take `mount`, which is /sys/fs/cgroup, and the text of /proc/self/cgroup; versions 1 and 2,
// and both at once. Of the process's own group and of all above it, since each limits those below. What can't
// be read, or is no limit, gives nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace swinzoo::eval {

// Cores' worth of time; nothing where there is no limit.
std::optional<double> parse_cpu_max(std::string_view cpu_max);  // v2: "150000 100000"
std::optional<double> parse_cfs_quota(std::string_view quota,
                                      std::string_view period);  // v1: "150000", "100000"

// The smallest quota.
std::optional<double> cgroup_quota(const std::filesystem::path& mount, std::string_view self_cgroup);

// The smallest limit of memory, bytes.
std::optional<int64_t> cgroup_memory_limit(const std::filesystem::path& mount, std::string_view self_cgroup);

// What the limits leave of memory, bytes: cached pages of files that are not in use count as free.
std::optional<int64_t> cgroup_memory_left(const std::filesystem::path& mount, std::string_view self_cgroup);

// How often the groups were made to wait since they used up their quota, all together.
std::optional<int64_t> cgroup_throttled(const std::filesystem::path& mount, std::string_view self_cgroup);

// The same of this process.
std::optional<double> own_quota();
std::optional<int64_t> own_memory_limit();
std::optional<int64_t> own_memory_left();
std::optional<int64_t> own_throttled();

}  // namespace swinzoo::eval
