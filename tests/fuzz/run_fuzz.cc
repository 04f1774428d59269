// Results, which report reads.
#include "eval/run.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const std::string text = fuzz::text_of(data, size);
  fuzz::read_or_refuse([&] {
    const auto runs = eval::runs_of(parse_json(text, "fuzz"), "fuzz");
    to_json_line(eval::to_document(runs));
  });
  return 0;
}
