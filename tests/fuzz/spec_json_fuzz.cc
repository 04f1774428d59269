// A spec as a converted file carries it, and a catalog.
#include "tests/fuzz/input.h"
#include "zoo/architecture.h"
#include "zoo/catalog.h"
#include "zoo/spec_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const std::string text = fuzz::text_of(data, size);
  fuzz::read_or_refuse([&] {
    const json::value input = parse_json(text, "fuzz");
    fuzz::read_or_refuse([&] { zoo::Catalog::built_in().with(input, "catalog"); });
    const zoo::ModelSpec spec = zoo::spec_from_json(input, "spec");
    const json::object written = zoo::to_json(spec);
    try {
      fuzz::require(zoo::to_json(zoo::spec_from_json(written, "written")) == written, "a spec reads back");
    } catch (const Error& error) {
      fuzz::require(false, error.what());
    }
    zoo::build_plan(spec);
  });
  return 0;
}
