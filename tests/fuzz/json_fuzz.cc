#include "formats/json.h"
#include "tests/fuzz/input.h"

namespace swinzoo::fuzz {
namespace {

// Asks for the value as every type, and for all values within.
void ask(const json::value& value) {
  read_or_refuse([&] { as_int(value, "fuzz"); });
  read_or_refuse([&] { as_number(value, "fuzz"); });
  read_or_refuse([&] { as_string(value, "fuzz"); });
  read_or_refuse([&] { as_bool(value, "fuzz"); });
  if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) ask(element);
  }
  if (const json::object* object = value.if_object()) {
    for (const auto& member : *object) {
      read_or_refuse([&] { find_ints(*object, member.key(), "fuzz"); });
      read_or_refuse([&] { find_numbers(*object, member.key(), "fuzz"); });
      ask(member.value());
    }
  }
}

}  // namespace
}  // namespace swinzoo::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const std::string text = fuzz::text_of(data, size);
  json::value value;
  try {
    value = parse_json(text, "fuzz");
  } catch (const Error&) {
    return 0;
  }
  fuzz::ask(value);
  const std::string line = to_json_line(value);
  fuzz::require(to_json_line(parse_json(line, "written")) == line, "what was written reads back");
  fuzz::require(to_json_line(parse_json(to_pretty_json(value), "written")) == line, "two forms of one value");
  return 0;
}
