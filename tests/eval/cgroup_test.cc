#include "eval/cgroup.h"

#include <catch2/catch.hpp>

#include "formats/atomic_file.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

struct Groups {
  TemporaryFolder folder;

  void add(const std::string& name, const std::string& text) const { write_file(folder.path() / name, text); }
  const std::filesystem::path& mount() const { return folder.path(); }
};

}  // namespace

TEST_CASE("quotas of both control group versions") {
  CHECK(parse_cpu_max("150000 100000\n") == 1.5);
  CHECK_FALSE(parse_cpu_max("max 100000\n").has_value());
  CHECK_FALSE(parse_cpu_max("").has_value());
  CHECK_FALSE(parse_cpu_max("150000").has_value());
  CHECK_FALSE(parse_cpu_max("150000 0").has_value());
  CHECK(parse_cfs_quota("400000\n", "100000\n") == 4.0);
  CHECK_FALSE(parse_cfs_quota("-1\n", "100000\n").has_value());
  CHECK_FALSE(parse_cfs_quota("", "").has_value());
}

TEST_CASE("the smallest quota of a v2 group and those above it counts") {
  const Groups groups;
  const std::string self = "0::/a/b\n";
  CHECK_FALSE(cgroup_quota(groups.mount(), self).has_value());
  groups.add("a/b/cpu.max", "max 100000\n");
  groups.add("a/cpu.max", "300000 100000\n");
  CHECK(cgroup_quota(groups.mount(), self) == 3.0);
  groups.add("cpu.max", "250000 100000\n");
  CHECK(cgroup_quota(groups.mount(), self) == 2.5);
  CHECK(cgroup_quota(groups.mount(), "0::/\n") == 2.5);
}

TEST_CASE("a v1 quota is found though the group has the host's path") {
  const Groups groups;
  groups.add("cpu/cpu.cfs_quota_us", "200000\n");
  groups.add("cpu/cpu.cfs_period_us", "100000\n");
  groups.add("memory/cpu.cfs_quota_us", "100000\n");
  groups.add("memory/cpu.cfs_period_us", "100000\n");
  CHECK(cgroup_quota(groups.mount(), "7:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n") == 2.0);
  CHECK_FALSE(cgroup_quota(groups.mount(), "7:memory:/docker/1\n5:cpuset:/\n").has_value());
  CHECK_FALSE(cgroup_quota(groups.mount(), "nonsense").has_value());
}

TEST_CASE("the smallest limit of memory counts, and no limit is none") {
  const Groups groups;
  const std::string v2 = "0::/a\n", v1 = "4:memory:/docker/1\n";
  CHECK_FALSE(cgroup_memory_limit(groups.mount(), v2).has_value());
  groups.add("a/memory.max", "max\n");
  CHECK_FALSE(cgroup_memory_limit(groups.mount(), v2).has_value());
  groups.add("memory.max", "1073741824\n");
  CHECK(cgroup_memory_limit(groups.mount(), v2) == int64_t{1} << 30);
  groups.add("memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK_FALSE(cgroup_memory_limit(groups.mount(), v1).has_value());
  groups.add("memory/docker/1/memory.limit_in_bytes", "4096\n");
  CHECK(cgroup_memory_limit(groups.mount(), v1) == 4096);
}

TEST_CASE("throttling is counted over the groups") {
  const Groups groups;
  CHECK_FALSE(cgroup_throttled(groups.mount(), "0::/a\n").has_value());
  groups.add("a/cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 77\n");
  groups.add("cpu.stat", "nr_periods 9\nnr_throttled 4\n");
  CHECK(cgroup_throttled(groups.mount(), "0::/a\n") == 7);
  groups.add("cpu/cpu.stat", "nr_throttled 2\nthrottled_time 5\n");
  CHECK(cgroup_throttled(groups.mount(), "1:cpu,cpuacct:/docker/1\n") == 2);
}
