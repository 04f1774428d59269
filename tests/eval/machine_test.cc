#include "eval/machine.h"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "formats/atomic_file.h"

using namespace swinzoo;
using namespace swinzoo::eval;
namespace fs = std::filesystem;

namespace {

// A folder that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "swinzoo-machine-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }

  const fs::path& path() const { return path_; }
  void add(const std::string& name, const std::string& text) const { write_file(path_ / name, text); }

 private:
  fs::path path_;
};

constexpr const char* kX86 =
    "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nphysical id\t: 0\ncore id\t\t: 0\n"
    "flags\t\t: fpu sse2 fma avx avx2 avx512f hypervisor\n\n"
    "processor\t: 1\nmodel name\t: Some CPU @ 2.00GHz\nphysical id\t: 0\ncore id\t\t: 0\nflags\t\t: fpu\n\n"
    "processor\t: 2\nmodel name\t: Some CPU @ 2.00GHz\nphysical id\t: 1\ncore id\t\t: 0\nflags\t\t: fpu\n\n";

constexpr const char* kArm =
    "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd evtstrm bf16\n"
    "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd40\n\nprocessor\t: 1\n";

}  // namespace

TEST_CASE("cpuinfo of an x86 machine") {
  const CpuInfo info = parse_cpuinfo(kX86);
  CHECK(info.name == "Some CPU @ 2.00GHz");
  CHECK(info.isa == std::vector<std::string>{"avx2", "fma", "avx512f"});
  CHECK(info.logical_cores == 3);
  CHECK(info.physical_cores == 2);
  CHECK(info.hypervisor);
}

TEST_CASE("cpuinfo of an ARM machine") {
  const CpuInfo info = parse_cpuinfo(kArm);
  CHECK(info.name == "ARM implementer 0x41 part 0xd40");
  CHECK(info.isa == std::vector<std::string>{"neon", "bf16"});
  CHECK(info.logical_cores == 2);
  CHECK(info.physical_cores == 0);
  CHECK_FALSE(info.hypervisor);
}

TEST_CASE("cpuinfo that says nothing gives nothing") {
  for (const char* text : {"", "\n\n", ":", "garbage", "flags", "flags:"}) {
    const CpuInfo info = parse_cpuinfo(text);
    CHECK(info.name.empty());
    CHECK(info.isa.empty());
    CHECK(info.logical_cores == 0);
  }
}

TEST_CASE("sizes in kB are found by their key") {
  const char* status = "Name:\tx VmHWM: 3 kB\nVmPeak:\t  100 kB\nVmHWM:\t   2048 kB\nThreads:\t1\n";
  CHECK(parse_kib(status, "VmHWM") == 2048);
  CHECK(parse_kib(status, "VmPeak") == 100);
  CHECK_FALSE(parse_kib(status, "Threads").has_value());
  CHECK_FALSE(parse_kib(status, "VmRSS").has_value());
  CHECK_FALSE(parse_kib("VmHWM: x kB", "VmHWM").has_value());
  CHECK_FALSE(parse_kib("", "VmHWM").has_value());
}

TEST_CASE("os-release names the system with quotes or without") {
  CHECK(parse_os_name("NAME=\"x\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n") == "Debian GNU/Linux 12");
  CHECK(parse_os_name("PRETTY_NAME=Alpine") == "Alpine");
  CHECK(parse_os_name("PRETTY_NAME=\"").size() == 1);
  CHECK(parse_os_name("NAME=x\n").empty());
}

TEST_CASE("cores to use are the schedulable ones within the quota rounded down and at least one") {
  CHECK(cores_within(8, std::nullopt) == 8);
  CHECK(cores_within(8, 2.0) == 2);
  CHECK(cores_within(8, 1.5) == 1);
  CHECK(cores_within(8, 0.25) == 1);
  CHECK(cores_within(2, 16.0) == 2);
  CHECK(cores_within(0, std::nullopt) == 1);
}

TEST_CASE("caches are counted by what shares them") {
  const Folder folder;
  for (const std::string cpu : {"0", "1"}) {
    const std::string index = "cpu" + cpu + "/cache/index";
    folder.add(index + "0/level", "1\n");
    folder.add(index + "0/type", "Data\n");
    folder.add(index + "0/size", "48K\n");
    folder.add(index + "0/shared_cpu_list", cpu + "\n");
    folder.add(index + "1/level", "3\n");
    folder.add(index + "1/type", "Unified\n");
    folder.add(index + "1/size", "32768K\n");
    folder.add(index + "1/shared_cpu_list", "0-1\n");
  }
  folder.add("cpufreq/boost", "1\n");
  CHECK(read_caches(folder.path()) == std::vector<Cache>{{"L1d", 48, 2}, {"L3", 32768, 1}});
  CHECK(read_caches(folder.path() / "nowhere").empty());
}

TEST_CASE("turbo is what either driver says of it") {
  const Folder folder;
  CHECK_FALSE(read_turbo(folder.path()).has_value());
  folder.add("cpufreq/boost", "0\n");
  CHECK(read_turbo(folder.path()) == false);
  folder.add("intel_pstate/no_turbo", "0\n");
  CHECK(read_turbo(folder.path()) == true);
}

TEST_CASE("this machine is described") {
  const Machine machine = this_machine();
  CHECK(machine.available_cores == available_cores());
  CHECK(machine.available_cores >= 1);
  CHECK(machine.memory_mb.value_or(0) > 0);
  CHECK_FALSE(machine.kernel.empty());
  CHECK(machine.eigen.starts_with("3.4"));
  CHECK_FALSE(machine.tbb.empty());
  CHECK_FALSE(machine.libjpeg.empty());
  CHECK_FALSE(machine.libwebp.empty());
  CHECK_FALSE(machine.compiler.empty());
  for (const char* name :
       {"Chart.js", "CLI11", "curl", "fmt", "HDF5", "Highway", "libarchive", "libavcodec", "libavformat",
        "libavutil", "libswscale", "OpenSSL", "protobuf", "SQLite", "toml++", "zlib"}) {
    INFO(name);
    CHECK(std::ranges::count_if(machine.libraries, [&](const std::string& library) {
            return library.starts_with(std::string(name) + " ");
          }) == 1);
  }
  for (const std::string& library : machine.libraries) {
    INFO(library);
    CHECK(library.find_first_of("0123456789", library.find(' ')) != std::string::npos);
  }
  CHECK(machine.swinzoo_version.find('.') != std::string::npos);
  const std::string commit = machine.commit.substr(0, machine.commit.find('-'));
  CHECK((commit == "unknown" || commit.size() == 40));
}

TEST_CASE("peak memory covers what was held") {
  const auto before = peak_memory_mb();
  REQUIRE(before.has_value());
  CHECK(*before > 0.5);
  {
    const std::vector<char> held(64 << 20, 1);
    CHECK(held.back() == 1);
  }
  CHECK(*peak_memory_mb() >= 64);
  reset_peak_memory();  // as far as the system allows
  CHECK(*peak_memory_mb() <= *before + 128);
}
