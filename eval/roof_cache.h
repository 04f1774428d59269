// The machine's roof (backends/roof.h), measured once and kept.
//
// It is kept in user_cache_root()/swinzoo/roof.json: {"schema": 1, "roofs": [an object a roof]}. Whoever
// deletes the file has it measured again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "backends/roof.h"
#include "eval/fields.h"

namespace swinzoo::eval {

// A roof, and what it was measured for.
struct Roof {
  std::string cpu;
  std::string isa;
  int64_t threads = 0;
  std::string swinzoo_version;
  double gflops_per_second = 0;
  double gbytes_per_second = 0;
  int64_t disturbed = 0;

  bool operator==(const Roof&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, Roof>
void visit_fields(Self& roof, Visit&& visit) {
  const auto field = [&](const char* name, auto& member, const char* unit, const char* about) {
    visit(Field{.name = name, .unit = unit, .about = about}, member);
  };
  field("cpu", roof.cpu, "", "the processor's name");
  field("isa", roof.isa, "", "the instruction set");
  field("threads", roof.threads, "", "threads that it was measured with");
  field("swinzoo_version", roof.swinzoo_version, "", "the version that measured");
  field("gflops_per_second", roof.gflops_per_second, "GFLOP/s",
        "multiply-adds of fp32 in registers, two operations each");
  field("gbytes_per_second", roof.gbytes_per_second, "GB/s", "reading memory; 10^9 bytes");
  field("disturbed", roof.disturbed, "",
        "how often it was measured while other programs ran; up to 5 times it is measured again; 0: "
        "undisturbed");
}

// This machine's roof for an instruction set, as Executable::isa() names it, and a number of threads: as it
// was kept, else measured now, in under a second, and kept. Where nothing can be kept, it is measured each
// time.
Roof roof_of(std::string_view isa, int threads);

struct RoofMeasurement {
  backends::Roof roof;
  bool disturbed = false;
};

// What roof_of does with a file: returns the roof in it that `wanted` names (its figures are not looked at),
// else what `measure` gives, which is added. One that was disturbed is measured again, up to 5 times in all,
// and the higher figures are kept: nothing makes a machine faster than it is. A file that can't be read is
// replaced.
Roof cached_roof(const std::filesystem::path& file, const Roof& wanted,
                 const std::function<RoofMeasurement()>& measure);

}  // namespace swinzoo::eval
