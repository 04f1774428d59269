// What this machine is and how this binary was built: what a measurement must be read beside.
//
// Linux only: /proc, /sys and the control groups are read. What can't be read stays empty.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/fields.h"

namespace swinzoo::eval {

// All caches of one level and type.
struct Cache {
  std::string name;   // "L1d", "L1i", "L2", ...
  int64_t kib = 0;    // of one
  int64_t count = 0;  // on the whole machine

  bool operator==(const Cache&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, Cache>
void visit_fields(Self& cache, Visit&& visit) {
  visit(Field{.name = "name", .about = "level and type"}, cache.name);
  visit(Field{.name = "kib", .unit = "KiB", .about = "size of one"}, cache.kib);
  visit(Field{.name = "count", .about = "how many of them"}, cache.count);
}

struct Machine {
  std::string cpu;
  std::vector<std::string> isa;
  std::optional<int64_t> physical_cores;
  std::optional<int64_t> logical_cores;
  std::optional<int64_t> affinity_cores;
  std::optional<double> quota_cores;
  int64_t available_cores = 1;
  std::optional<int64_t> numa_nodes;
  std::vector<Cache> caches;
  std::string governor;
  std::optional<bool> turbo;

  std::optional<int64_t> memory_mb;
  std::optional<int64_t> memory_limit_mb;
  std::string os;
  std::string kernel;
  bool hypervisor = false;
  std::optional<double> load_average;

  std::string swinzoo_version;
  std::string commit;
  std::string compiler;
  std::string build_type;
  std::string build_flags;
  std::string sanitizer;
  std::string boost;
  std::string eigen;
  std::string tbb;
  std::string libjpeg;
  std::string libpng;
  std::string libwebp;
  std::vector<std::string> libraries;

  bool operator==(const Machine&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, Machine>
void visit_fields(Self& machine, Visit&& visit) {
  const char* group = "Processor";
  const auto field = [&](const char* name, auto& member, const char* unit, const char* about) {
    visit(Field{.name = name, .unit = unit, .about = about, .group = group}, member);
  };
  field("cpu", machine.cpu, "", "the processor's name");
  field("isa", machine.isa, "", "instruction sets that matter to swinzoo, by the kernel's names");
  field("physical_cores", machine.physical_cores, "", "cores that the system shows");
  field("logical_cores", machine.logical_cores, "", "hardware threads that the system shows");
  field("affinity_cores", machine.affinity_cores, "",
        "hardware threads that this process may be scheduled on");
  field("quota_cores", machine.quota_cores, "",
        "cores' worth of time that the container allows; none = no limit");
  field("available_cores", machine.available_cores, "", "the default of `--threads`: the least of these");
  field("numa_nodes", machine.numa_nodes, "", "memory nodes");
  field("caches", machine.caches, "", "an object a cache: `name`, `kib` (the size of one), `count`");
  field("governor", machine.governor, "", "the frequency governor of the first core");

  field("turbo", machine.turbo, "", "whether the clock may rise above its nominal frequency");

  group = "System";
  field("memory_mb", machine.memory_mb, "MiB", "memory of the machine");
  field("memory_limit_mb", machine.memory_limit_mb, "MiB",
        "memory that the container allows; none = no limit");
  field("os", machine.os, "", "the operating system");
  field("kernel", machine.kernel, "", "the kernel's release and machine type");
  field("hypervisor", machine.hypervisor, "", "whether this is a virtual machine (x86)");
  field("load_average", machine.load_average, "", "runnable tasks, mean of the last minute");

  group = "Build";
  field("swinzoo_version", machine.swinzoo_version, "", "swinzoo's version");
  field("commit", machine.commit, "", "git commit; `-dirty` where files were changed; `unknown` outside git");
  field("compiler", machine.compiler, "", "what it was built with");
  field("build_type", machine.build_type, "", "CMake's build type");
  field("build_flags", machine.build_flags, "", "the compiler's flags");
  field("sanitizer", machine.sanitizer, "", "the sanitizers it was built with");
  field("boost", machine.boost, "", "version of Boost's headers");
  field("eigen", machine.eigen, "", "version of Eigen's headers");
  field("tbb", machine.tbb, "", "version of oneTBB's headers");
  field("libjpeg", machine.libjpeg, "", "version of libjpeg-turbo's headers");
  field("libpng", machine.libpng, "", "version of libpng's headers");
  field("libwebp", machine.libwebp, "", "version of libwebp");
  field("libraries", machine.libraries, "", "the other libraries that it was built with, and their versions");
}

// Looks at the machine now. Safe from any thread.
Machine this_machine();

// Threads worth starting: the hardware threads that the process may be scheduled on, or the container's quota
// rounded down where that is less (a thread more would only be throttled); at least 1.
int available_cores();

// Most resident memory that this process has had since it started, or since the peak was reset, MiB (VmHWM).
std::optional<double> peak_memory_mb();

// From now on the peak is that of what is still to come (proc(5): clear_refs). Where the system does not
// allow it, nothing changes.
void reset_peak_memory();

// The build facts, a part of this_machine() (build_info.cc).
void set_build(Machine& machine);

// What the above read, from the text of the system's files. Text that isn't as expected gives empty values.

struct CpuInfo {
  std::string name;
  std::vector<std::string> isa;  // those of kIsaFeatures that are there, in its order
  int64_t physical_cores = 0;    // 0 = not told
  int64_t logical_cores = 0;
  bool hypervisor = false;
};
CpuInfo parse_cpuinfo(std::string_view cpuinfo);  // /proc/cpuinfo, of x86 or ARM

// A line `KEY: 123 kB` of /proc/meminfo or /proc/self/status, in KiB.
std::optional<int64_t> parse_kib(std::string_view text, std::string_view key);

std::string parse_os_name(std::string_view os_release);  // PRETTY_NAME of /etc/os-release

// Cores to use out of those that can be scheduled on, and the quota.
int cores_within(int64_t affinity, std::optional<double> quota);

// Read /sys/devices/system/cpu, or a copy of it. read_turbo: intel_pstate/no_turbo, else cpufreq/boost.
std::vector<Cache> read_caches(const std::filesystem::path& cpus);
std::optional<bool> read_turbo(const std::filesystem::path& cpus);

}  // namespace swinzoo::eval
