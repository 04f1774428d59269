#include "eval/roof_cache.h"

#include <algorithm>
#include <vector>

#include "eval/machine.h"
#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/json.h"
#include "zoo/hub_settings.h"

namespace swinzoo::eval {
namespace {

constexpr int64_t kSchema = 1;

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

}  // namespace

Roof roof_of(std::string_view isa, int threads) {
  const Machine machine = this_machine();
  const Roof wanted{.cpu = machine.cpu,
                    .isa = std::string(isa),
                    .threads = threads,
                    .swinzoo_version = machine.swinzoo_version};
  return cached_roof(zoo::user_cache_root() / "swinzoo" / "roof.json", wanted,
                     [&] { return backends::measure_roof(isa, threads); });
}

Roof cached_roof(const std::filesystem::path& file, const Roof& wanted,
                 const std::function<backends::Roof()>& measure) {
  std::vector<Roof> roofs = read_roofs(file);
  const auto is_wanted = [&](const Roof& roof) {
    return roof.cpu == wanted.cpu && roof.isa == wanted.isa && roof.threads == wanted.threads &&
           roof.swinzoo_version == wanted.swinzoo_version;
  };
  std::erase_if(roofs, [](const Roof& r) { return !(r.gflops_per_second > 0 && r.gbytes_per_second > 0); });
  const auto kept = std::ranges::find_if(roofs, is_wanted);
  if (kept != roofs.end()) return *kept;

  const backends::Roof measured = measure();
  Roof roof = wanted;
  roof.gflops_per_second = measured.gflops_per_second;
  roof.gbytes_per_second = measured.gbytes_per_second;
  roofs.push_back(roof);
  write_roofs(file, roofs);
  return roof;
}

}  // namespace swinzoo::eval
