#include "eval/roof_cache.h"

#include <algorithm>
#include <vector>

#include "eval/disturbance.h"
#include "eval/machine.h"
#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/json.h"
#include "zoo/hub_settings.h"

namespace swinzoo::eval {
namespace {

constexpr int64_t kSchema = 1;
constexpr int64_t kMostDisturbed = 5;  // measurements; a machine that is always busy gets no quieter

std::vector<Roof> read_roofs(const std::filesystem::path& file) {
  std::vector<Roof> roofs;
  try {
    const json::value document = read_json(file);
    const json::object& object = as_object(document, file.string());
    const json::value* kept = find_member(object, "roofs");
    if (find_int(object, "schema", file.string()) != kSchema || kept == nullptr) return {};
    from_value(*kept, file.string(), roofs);
  } catch (const Error&) {  // there is none yet, or it is damaged: then it is made again
    return {};
  }
  return roofs;
}

void write_roofs(const std::filesystem::path& file, const std::vector<Roof>& roofs) {
  const json::object document = {{"schema", kSchema}, {"roofs", to_array(roofs)}};
  try {
    write_file(file, to_pretty_json(document) + "\n");
  } catch (const Error&) {  // a folder that can't be written: then it is measured each time
  }
}

RoofMeasurement measured_roof(std::string_view isa, int threads) {
  const SystemCounters before = system_counters();
  const backends::Roof roof = backends::measure_roof(isa, threads);
  return {roof, is_disturbed(disturbance_between(before, system_counters()))};
}

}  // namespace

Roof roof_of(std::string_view isa, int threads) {
  const Machine machine = this_machine();
  const Roof wanted{.cpu = machine.cpu,
                    .isa = std::string(isa),
                    .threads = threads,
                    .swinzoo_version = machine.swinzoo_version};
  return cached_roof(zoo::user_cache_root() / "swinzoo" / "roof.json", wanted,
                     [&] { return measured_roof(isa, threads); });
}

Roof cached_roof(const std::filesystem::path& file, const Roof& wanted,
                 const std::function<RoofMeasurement()>& measure) {
  std::vector<Roof> roofs = read_roofs(file);
  const auto is_wanted = [&](const Roof& roof) {
    return roof.cpu == wanted.cpu && roof.isa == wanted.isa && roof.threads == wanted.threads &&
           roof.swinzoo_version == wanted.swinzoo_version;
  };
  std::erase_if(roofs, [](const Roof& r) { return !(r.gflops_per_second > 0 && r.gbytes_per_second > 0); });
  auto kept = std::ranges::find_if(roofs, is_wanted);
  if (kept != roofs.end() && (kept->disturbed == 0 || kept->disturbed >= kMostDisturbed)) return *kept;

  const RoofMeasurement measured = measure();
  if (kept == roofs.end()) {
    Roof none = wanted;
    none.gflops_per_second = none.gbytes_per_second = 0;
    kept = roofs.insert(kept, none);
  }
  kept->gflops_per_second = std::max(kept->gflops_per_second, measured.roof.gflops_per_second);
  kept->gbytes_per_second = std::max(kept->gbytes_per_second, measured.roof.gbytes_per_second);
  kept->disturbed = measured.disturbed ? kept->disturbed + 1 : 0;
  const Roof roof = *kept;
  write_roofs(file, roofs);
  return roof;
}

}  // namespace swinzoo::eval
