#include "eval/memory.h"

#include <catch2/catch.hpp>

#include "eval/cgroup.h"
#include "tests/process.h"
#include "tests/text_files.h"

using namespace swinzoo;
using namespace swinzoo::eval;

TEST_CASE("the least of the control groups' memory is left") {
  const TemporaryFolder mount;
  const auto group = [&](const std::string& name, const char* most, const char* used, const char* stat) {
    write_text(mount.path() / name / "memory.max", most);
    write_text(mount.path() / name / "memory.current", used);
    write_text(mount.path() / name / "memory.stat", stat);
  };
  CHECK_FALSE(cgroup_memory_left(mount.path(), "0::/a/b\n").has_value());
  group("a/b", "max\n", "700\n", "anon 1\n");
  CHECK_FALSE(cgroup_memory_left(mount.path(), "0::/a/b\n").has_value());
  group("a", "1000\n", "900\n", "anon 850\ninactive_file 40\n");
  CHECK(cgroup_memory_left(mount.path(), "0::/a/b\n") == 140);
  group("", "5000\n", "4990\n", "");
  CHECK(cgroup_memory_left(mount.path(), "0::/a/b\n") == 10);
  group("", "100\n", "4990\n", "");
  CHECK(cgroup_memory_left(mount.path(), "0::/a/b\n") == 0);
  CHECK_FALSE(cgroup_memory_left(mount.path(), "4:cpu:/a\n").has_value());

  // Version 1.
  write_text(mount.path() / "memory" / "c" / "memory.limit_in_bytes", "1000\n");
  write_text(mount.path() / "memory" / "c" / "memory.usage_in_bytes", "900\n");
  write_text(mount.path() / "memory" / "c" / "memory.stat", "inactive_file 10\ntotal_inactive_file 30\n");
  write_text(mount.path() / "memory" / "memory.limit_in_bytes", "9223372036854771712\n");
  write_text(mount.path() / "memory" / "memory.usage_in_bytes", "5000\n");
  CHECK(cgroup_memory_left(mount.path(), "9:memory:/c\n") == 130);
}

TEST_CASE("a batch is as large as wanted or as memory lets it be") {
  CHECK(fitting_batch(8, 1000, std::nullopt) == 8);
  CHECK(fitting_batch(8, 1000, 1'000'000) == 8);
  CHECK(fitting_batch(8, 1000, 4000) == 3);
  CHECK(fitting_batch(8, 1000, 10) == 1);
  CHECK(available_memory().value_or(1) > 0);
}
