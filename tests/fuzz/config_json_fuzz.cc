// config.json, alone or as an array of it and preprocessor_config.json; up to the plan.
#include "tests/fuzz/input.h"
#include "zoo/architecture.h"
#include "zoo/config_json.h"
#include "zoo/spec_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const std::string text = fuzz::text_of(data, size);
  fuzz::read_or_refuse([&] {
    const json::value input = parse_json(text, "fuzz");
    const json::array* both = input.if_array();
    const bool has_both = both != nullptr && both->size() == 2;
    const zoo::ModelSpec spec =
        zoo::spec_from_config(has_both ? both->at(0) : input, "config.json", zoo::Catalog::built_in(),
                              has_both ? &both->at(1) : nullptr);
    zoo::build_plan(spec);
    to_json_line(zoo::to_json(spec));
  });
  return 0;
}
