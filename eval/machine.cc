#include "eval/machine.h"

#include <sched.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "eval/cgroup.h"
#include "eval/system_files.h"

namespace swinzoo::eval {
namespace {

namespace fs = std::filesystem;

// The kernel's names (arch/x86/include/asm/cpufeatures.h, arch/arm64/kernel/cpuinfo.c), and ours where they
// differ.
constexpr std::array<std::pair<const char*, const char*>, 14> kIsaFeatures = {{
    {"avx2", "avx2"},
    {"fma", "fma"},
    {"f16c", "f16c"},
    {"avx512f", "avx512f"},
    {"avx512bw", "avx512bw"},
    {"avx512vl", "avx512vl"},
    {"avx512dq", "avx512dq"},
    {"avx512_vnni", "avx512_vnni"},
    {"avx512_bf16", "avx512_bf16"},
    {"amx_bf16", "amx_bf16"},
    {"asimd", "neon"},
    {"bf16", "bf16"},
    {"sve", "sve"},
    {"i8mm", "i8mm"},
}};

std::optional<int64_t> schedulable_cores() {
  cpu_set_t cpus;
  if (::sched_getaffinity(0, sizeof cpus, &cpus) != 0) return std::nullopt;  // over 1024 of them
  return CPU_COUNT(&cpus);
}

}  // namespace

CpuInfo parse_cpuinfo(std::string_view cpuinfo) {
  CpuInfo info;
  std::set<std::pair<std::string, std::string>> cores;
  std::set<std::string, std::less<>> flags;
  std::string package;
  std::string arm_maker;
  std::string arm_part;
  while (!cpuinfo.empty()) {
    std::string_view value = take(cpuinfo, '\n');
    const std::string_view key = trimmed(take(value, ':'));
    value = trimmed(value);
    if (key == "processor") ++info.logical_cores;
    if (key == "model name" && info.name.empty()) info.name = value;
    if (key == "CPU implementer") arm_maker = value;
    if (key == "CPU part") arm_part = value;
    if (key == "physical id") package = value;
    if (key == "core id") cores.emplace(package, value);
    if ((key == "flags" || key == "Features") && flags.empty()) {
      while (!value.empty()) flags.emplace(take(value, ' '));
    }
  }
  if (info.name.empty() && !arm_maker.empty()) {
    info.name = fmt::format("ARM implementer {} part {}", arm_maker, arm_part);
  }
  for (const auto& [kernel_name, name] : kIsaFeatures) {
    if (flags.contains(kernel_name)) info.isa.push_back(name);
  }
  info.physical_cores = static_cast<int64_t>(cores.size());
  info.hypervisor = flags.contains("hypervisor");
  return info;
}

std::optional<int64_t> parse_kib(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view value = take(text, '\n');
    if (take(value, ':') != key) continue;
    value = trimmed(value);
    if (!value.ends_with(" kB")) return std::nullopt;
    return number_of<int64_t>(value.substr(0, value.size() - 3));
  }
  return std::nullopt;
}

std::string parse_os_name(std::string_view os_release) {
  while (!os_release.empty()) {
    std::string_view value = take(os_release, '\n');
    if (trimmed(take(value, '=')) != "PRETTY_NAME") continue;
    value = trimmed(value);
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
        value.back() == value.front()) {
      value = value.substr(1, value.size() - 2);
    }
    return std::string(value);
  }
  return "";
}

int cores_within(int64_t affinity, std::optional<double> quota) {
  double cores = static_cast<double>(affinity);
  if (quota.has_value()) cores = std::min(cores, std::floor(*quota));
  return static_cast<int>(std::max(cores, 1.0));
}

std::vector<Cache> read_caches(const fs::path& cpus) {
  // Level and type, to size and the sets of CPUs that share one.
  std::map<std::pair<std::string, std::string>, std::pair<int64_t, std::set<std::string>>> found;
  for (const fs::path& cpu : numbered(cpus, "cpu")) {
    for (const fs::path& index : numbered(cpu / "cache", "index")) {
      const std::string size = read_system_line(index / "size");
      auto& cache = found[{read_system_line(index / "level"), read_system_line(index / "type")}];
      if (size.ends_with('K')) cache.first = number_of<int64_t>(size.substr(0, size.size() - 1)).value_or(0);
      cache.second.insert(read_system_line(index / "shared_cpu_list"));
    }
  }
  std::vector<Cache> caches;
  for (const auto& [key, cache] : found) {
    const auto& [level, type] = key;
    const char* suffix = type == "Data" ? "d" : type == "Instruction" ? "i" : "";
    caches.push_back({"L" + level + suffix, cache.first, static_cast<int64_t>(cache.second.size())});
  }
  return caches;
}

std::optional<bool> read_turbo(const fs::path& cpus) {
  if (const auto off = number_of<int>(read_system_line(cpus / "intel_pstate/no_turbo"))) return *off == 0;
  if (const auto on = number_of<int>(read_system_line(cpus / "cpufreq/boost"))) return *on != 0;
  return std::nullopt;
}

int available_cores() {
  const int64_t affinity = schedulable_cores().value_or(std::thread::hardware_concurrency());
  return cores_within(affinity, own_quota());
}

std::optional<double> peak_memory_mb() {
  const auto kib = parse_kib(read_system_file("/proc/self/status"), "VmHWM");
  if (!kib.has_value()) return std::nullopt;
  return static_cast<double>(*kib) / 1024;
}

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

Machine this_machine() {
  Machine machine;
  CpuInfo cpu = parse_cpuinfo(read_system_file("/proc/cpuinfo"));
  machine.cpu = std::move(cpu.name);
  machine.isa = std::move(cpu.isa);
  if (cpu.physical_cores > 0) machine.physical_cores = cpu.physical_cores;
  if (cpu.logical_cores > 0) machine.logical_cores = cpu.logical_cores;
  machine.hypervisor = cpu.hypervisor;
  machine.affinity_cores = schedulable_cores();
  machine.quota_cores = own_quota();
  machine.available_cores = available_cores();
  const auto nodes = static_cast<int64_t>(numbered("/sys/devices/system/node", "node").size());
  if (nodes > 0) machine.numa_nodes = nodes;
  machine.caches = read_caches("/sys/devices/system/cpu");
  machine.governor = read_system_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  machine.turbo = read_turbo("/sys/devices/system/cpu");
  if (const auto kib = parse_kib(read_system_file("/proc/meminfo"), "MemTotal"))
    machine.memory_mb = *kib / 1024;
  if (const auto bytes = own_memory_limit()) machine.memory_limit_mb = *bytes >> 20;
  machine.os = parse_os_name(read_system_file("/etc/os-release"));
  utsname names;
  if (::uname(&names) == 0)
    machine.kernel = fmt::format("{} {} {}", names.sysname, names.release, names.machine);
  double load = 0;
  if (::getloadavg(&load, 1) == 1) machine.load_average = load;
  set_build(machine);
  return machine;
}

}  // namespace swinzoo::eval
