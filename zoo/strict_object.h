// One JSON object read member by member; what nobody asked for is refused, so that a misspelt key is never
// ignored.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/json.h"

namespace swinzoo::zoo {

// Not thread-safe; the value outlives it. All errors are kCorrupt and start with `where`.
class StrictObject {
 public:
  // Throws if the value is no object.
  StrictObject(const json::value& value, std::string where);

  const std::string& where() const { return where_; }

  // A member, or null where it is missing or JSON null.
  const json::value* find(std::string_view key);

  // A member that must be there, as a type.
  const json::value& need(std::string_view key);
  int64_t need_int(std::string_view key);
  double need_number(std::string_view key);
  std::string need_string(std::string_view key);
  std::vector<int64_t> need_ints(std::string_view key);
  std::vector<double> need_numbers(std::string_view key);
  std::vector<std::string> need_strings(std::string_view key);

  // Throws for a member that was never asked for, with the nearest key that was. REQUIRES: called once, last.
  void finish() const;

  // `where` of a member.
  std::string where_of(std::string_view key) const;

 private:
  const json::object& object_;
  std::string where_;
  std::vector<std::string> asked_;
};

}  // namespace swinzoo::zoo
