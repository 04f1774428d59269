#include "formats/json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <algorithm>
#include <cmath>

#include "formats/error.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

constexpr size_t kLargestJson = 64 << 20;

[[noreturn]] void fail_kind(const json::value& value, const std::string& where, const char* expected) {
  std::string found = json::serialize(value);
  if (found.size() > 60) found = found.substr(0, 57) + "...";
  fail(ErrorCode::kCorrupt, "{}: expected {}, found {}", where, expected, found);
}

std::string member_name(const std::string& where, std::string_view key) { return fmt::format("{}: \"{}\"", where, key); }

template <typename T, typename Read>
std::optional<std::vector<T>> find_list(const json::object& object, std::string_view key, const std::string& where,
                                        Read read) {
  const json::value* value = find_member(object, key);
  if (value == nullptr) return std::nullopt;
  std::vector<T> list;
  for (const json::value& element : as_array(*value, member_name(where, key))) {
    list.push_back(read(element, member_name(where, key)));
  }
  return list;
}

void append_scalar(std::string& out, const json::value& value) {
  if (value.is_double()) {
    out += std::isfinite(value.get_double()) ? fmt::format("{}", value.get_double()) : "null";
  } else {
    out += json::serialize(value);
  }
}

void append_line(std::string& out, const json::value& value) {
  if (const json::object* object = value.if_object()) {
    out += '{';
    for (const auto& member : *object) {
      if (&member != &*object->begin()) out += ',';
      out += json::serialize(json::value(member.key())) + ':';
      append_line(out, member.value());
    }
    out += '}';
  } else if (const json::array* array = value.if_array()) {
    out += '[';
    for (const json::value& element : *array) {
      if (&element != &array->front()) out += ',';
      append_line(out, element);
    }
    out += ']';
  } else {
    append_scalar(out, value);
  }
}

void append_pretty(std::string& out, const json::value& value, size_t indent) {
  const std::string line = "\n" + std::string(indent + 2, ' ');
  const auto is_scalar = [](const json::value& v) { return !v.is_structured(); };
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    for (const auto& member : *object) {
      if (&member != &*object->begin()) out += ',';
      out += line + json::serialize(json::value(member.key())) + ": ";
      append_pretty(out, member.value(), indent + 2);
    }
    out += line.substr(0, line.size() - 2) + '}';
  } else if (const json::array* array = value.if_array();
             array != nullptr && !std::all_of(array->begin(), array->end(), is_scalar)) {
    out += '[';
    for (const json::value& element : *array) {
      if (&element != &array->front()) out += ',';
      out += line;
      append_pretty(out, element, indent + 2);
    }
    out += line.substr(0, line.size() - 2) + ']';
  } else if (array != nullptr) {
    out += '[';
    for (const json::value& element : *array) {
      if (&element != &array->front()) out += ", ";
      append_pretty(out, element, indent);
    }
    out += ']';
  } else if (value.is_object()) {
    out += "{}";
  } else {
    append_scalar(out, value);
  }
}

}  // namespace

json::value parse_json(std::string_view text, const std::string& where) {
  json::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) fail(ErrorCode::kCorrupt, "{}: is not valid JSON: {}", where, error.message());
  return value;
}

json::value read_json(const std::filesystem::path& path) {
  const MappedFile file(path);
  if (file.bytes().size() > kLargestJson) {
    fail(ErrorCode::kCorrupt, "{}: {} bytes are too many for a JSON file", path.string(), file.bytes().size());
  }
  return parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path.string());
}

const json::value* find_member(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(json::string_view(key.data(), key.size()));
  return value == nullptr || value->is_null() ? nullptr : value;
}

const json::object& as_object(const json::value& value, const std::string& where) {
  if (!value.is_object()) fail_kind(value, where, "an object");
  return value.get_object();
}

const json::array& as_array(const json::value& value, const std::string& where) {
  if (!value.is_array()) fail_kind(value, where, "an array");
  return value.get_array();
}

int64_t as_int(const json::value& value, const std::string& where) {
  json::error_code error;
  const auto number = value.to_number<int64_t>(error);
  if (error) fail_kind(value, where, "a whole number");
  return number;
}

double as_number(const json::value& value, const std::string& where) {
  json::error_code error;
  const auto number = value.to_number<double>(error);
  if (error) fail_kind(value, where, "a number");
  return number;
}

std::string as_string(const json::value& value, const std::string& where) {
  if (!value.is_string()) fail_kind(value, where, "a string");
  return std::string(value.get_string().data(), value.get_string().size());
}

bool as_bool(const json::value& value, const std::string& where) {
  if (!value.is_bool()) fail_kind(value, where, "true or false");
  return value.get_bool();
}

std::optional<int64_t> find_int(const json::object& object, std::string_view key, const std::string& where) {
  const json::value* value = find_member(object, key);
  if (value == nullptr) return std::nullopt;
  return as_int(*value, member_name(where, key));
}

std::optional<double> find_number(const json::object& object, std::string_view key, const std::string& where) {
  const json::value* value = find_member(object, key);
  if (value == nullptr) return std::nullopt;
  return as_number(*value, member_name(where, key));
}

std::optional<std::string> find_string(const json::object& object, std::string_view key, const std::string& where) {
  const json::value* value = find_member(object, key);
  if (value == nullptr) return std::nullopt;
  return as_string(*value, member_name(where, key));
}

std::optional<std::vector<int64_t>> find_ints(const json::object& object, std::string_view key,
                                              const std::string& where) {
  return find_list<int64_t>(object, key, where, as_int);
}

std::optional<std::vector<double>> find_numbers(const json::object& object, std::string_view key,
                                                const std::string& where) {
  return find_list<double>(object, key, where, as_number);
}

std::string to_json_line(const json::value& value) {
  std::string out;
  append_line(out, value);
  return out;
}

std::string to_pretty_json(const json::value& value) {
  std::string out;
  append_pretty(out, value, 0);
  return out;
}

}  // namespace swinzoo
