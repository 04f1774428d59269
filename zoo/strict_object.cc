#include "zoo/strict_object.h"

#include <algorithm>
#include <utility>

#include "formats/error.h"
#include "zoo/suggest.h"

namespace swinzoo::zoo {

StrictObject::StrictObject(const json::value& value, std::string where)
    : object_(as_object(value, where)), where_(std::move(where)) {}

const json::value* StrictObject::find(std::string_view key) {
  asked_.emplace_back(key);
  return find_member(object_, key);
}

const json::value& StrictObject::need(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) fail(ErrorCode::kCorrupt, "{}: \"{}\" is missing", where_, key);
  return *value;
}

int64_t StrictObject::need_int(std::string_view key) { return as_int(need(key), where_of(key)); }

double StrictObject::need_number(std::string_view key) { return as_number(need(key), where_of(key)); }

std::string StrictObject::need_string(std::string_view key) { return as_string(need(key), where_of(key)); }

std::vector<int64_t> StrictObject::need_ints(std::string_view key) {
  need(key);
  return *find_ints(object_, key, where_);
}

std::vector<double> StrictObject::need_numbers(std::string_view key) {
  need(key);
  return *find_numbers(object_, key, where_);
}

std::vector<std::string> StrictObject::need_strings(std::string_view key) {
  std::vector<std::string> strings;
  for (const json::value& element : as_array(need(key), where_of(key))) {
    strings.push_back(as_string(element, where_of(key)));
  }
  return strings;
}

void StrictObject::finish() const {
  for (const auto& member : object_) {
    const std::string key(member.key());
    if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) continue;
    const auto near = nearest(key, asked_);
    fail(ErrorCode::kCorrupt, "{}: unknown key \"{}\"{}", where_, key,
         near ? fmt::format("; did you mean \"{}\"?", *near) : "");
  }
}

std::string StrictObject::where_of(std::string_view key) const {
  return fmt::format("{}: \"{}\"", where_, key);
}

}  // namespace swinzoo::zoo
