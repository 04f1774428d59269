// One list of fields a struct, from which its JSON is written and read, and its tables and documentation are
// made.
//
// A struct takes part by a function beside it that names every field once, in the order in which it is shown:
//
//   template <typename Self, typename Visit>  // Self: Cache or const Cache
//     requires IsSelf<Self, Cache>
//   void visit_fields(Self& cache, Visit&& visit) {
//     visit(Field{.name = "level", .unit = "", .about = "1, 2 or 3"}, cache.level);
//   }
//
// Fields are bool, int64_t, float, double, std::string, std::optional and std::vector of these, and such
// structs. What is missing (an empty optional, string or vector, a number that is not finite) is left
// out of the JSON and comes back as it was; an optional vector that holds an empty one is written as []. In a
// vector of floats, one that is not finite is null, and comes back as NaN.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "formats/json.h"

namespace swinzoo::eval {

struct Field {
  const char* name;
  const char* unit = "";   // "ms", "%", ...; empty for texts and counts
  const char* about = "";  // one line for the documentation
  const char* group = "";  // what it is listed under
  const char* kind = "";   // the only kind of run that has it; empty = every kind
};

template <typename Self, typename Struct>
concept IsSelf = std::same_as<std::remove_const_t<Self>, Struct>;

template <typename T>
concept HasFields = requires(T& value) {
  visit_fields(value, [](const Field&, auto&) {});
};

// JSON null stands for a missing value.
inline json::value to_value(bool value) { return value; }
inline json::value to_value(int64_t value) { return value; }
inline json::value to_value(double value) {
  return std::isfinite(value) ? json::value(value) : json::value();
}
// The double with the float's own shortest digits, so that 0.1f is written as 0.1.
inline json::value to_value(float value) {
  return to_value(std::strtod(fmt::format("{}", value).c_str(), nullptr));
}
inline json::value to_value(const std::string& value) {
  return value.empty() ? json::value() : json::value(value);
}
template <typename T>
json::value to_value(const std::optional<T>& value);
template <typename T>
json::value to_value(const std::optional<std::vector<T>>& value);
template <typename T>
json::value to_value(const std::vector<T>& values);
template <HasFields T>
json::value to_value(const T& value);

template <typename T>
json::array to_array(const std::vector<T>& values) {
  json::array array;
  array.reserve(values.size());
  for (const T& value : values) array.push_back(to_value(value));
  return array;
}

template <typename T>
json::object to_object(const T& value) {
  json::object object;
  visit_fields(value, [&](const Field& field, const auto& member) {
    json::value written = to_value(member);
    if (!written.is_null()) object.emplace(field.name, std::move(written));
  });
  return object;
}

template <typename T>
json::value to_value(const std::optional<T>& value) {
  return value.has_value() ? to_value(*value) : json::value();
}

template <typename T>
json::value to_value(const std::optional<std::vector<T>>& value) {
  return value.has_value() ? json::value(to_array(*value)) : json::value();
}

template <typename T>
json::value to_value(const std::vector<T>& values) {
  return values.empty() ? json::value() : json::value(to_array(values));
}

template <HasFields T>
json::value to_value(const T& value) {
  return to_object(value);
}

// Read a value that is not null. Throw kCorrupt, naming `where` and what was found, if it is of another type.
inline void from_value(const json::value& value, const std::string& where, bool& out) {
  out = as_bool(value, where);
}
inline void from_value(const json::value& value, const std::string& where, int64_t& out) {
  out = as_int(value, where);
}
inline void from_value(const json::value& value, const std::string& where, double& out) {
  out = as_number(value, where);
}
inline void from_value(const json::value& value, const std::string& where, float& out) {
  out = static_cast<float>(as_number(value, where));
}
inline void from_value(const json::value& value, const std::string& where, std::string& out) {
  out = as_string(value, where);
}
template <typename T>
void from_value(const json::value& value, const std::string& where, std::optional<T>& out);
template <typename T>
void from_value(const json::value& value, const std::string& where, std::vector<T>& out);
template <HasFields T>
void from_value(const json::value& value, const std::string& where, T& out);

template <typename T>
void from_value(const json::value& value, const std::string& where, std::optional<T>& out) {
  from_value(value, where, out.emplace());
}

template <typename T>
void from_value(const json::value& value, const std::string& where, std::vector<T>& out) {
  for (const json::value& element : as_array(value, where)) {
    if constexpr (std::is_same_v<T, float>) {
      if (element.is_null()) {
        out.push_back(std::numeric_limits<float>::quiet_NaN());
        continue;
      }
    }
    from_value(element, where, out.emplace_back());
  }
}

// Unknown members are left alone: a later version may have more.
template <HasFields T>
void from_value(const json::value& value, const std::string& where, T& out) {
  const json::object& object = as_object(value, where);
  visit_fields(out, [&](const Field& field, auto& member) {
    const json::value* found = find_member(object, field.name);
    if (found != nullptr) from_value(*found, fmt::format("{}: \"{}\"", where, field.name), member);
  });
}

}  // namespace swinzoo::eval
