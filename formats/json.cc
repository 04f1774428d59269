#include "formats/json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>
#include <unordered_set>

#include "formats/error.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

constexpr size_t kLargestJson = 64 << 20;

// What json::parse does, but for two things. Fractions: up to Boost 1.82 its parser rounds them twice, so
// that what was written as 195.52878673662826 comes back as ...823. The text is one buffer, so that parts of
// a number never come alone. And keys that stand twice in an object: it keeps the last silently, here they
// are refused.
struct Handler {
  explicit Handler(const std::string& name) : where(name) {}

  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();

  bool on_document_begin(json::error_code&) {
    stack.reset();
    return true;
  }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) {
    keys.emplace_back();
    return true;
  }
  bool on_object_end(size_t n, json::error_code&) {
    keys.pop_back();
    return stack.push_object(n), true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(size_t n, json::error_code&) { return stack.push_array(n), true; }
  bool on_key_part(json::string_view part, size_t, json::error_code&) {
    key.append(part.data(), part.size());
    return stack.push_chars(part), true;
  }
  bool on_key(json::string_view rest, size_t, json::error_code&) {
    key.append(rest.data(), rest.size());
    if (const auto [at, is_new] = keys.back().insert(std::move(key)); !is_new) {
      fail(ErrorCode::kCorrupt, "{}: an object has the key \"{:.200}\" twice", where, *at);
    }
    key.clear();
    return stack.push_key(rest), true;
  }
  bool on_string_part(json::string_view part, size_t, json::error_code&) {
    return stack.push_chars(part), true;
  }
  bool on_string(json::string_view rest, size_t, json::error_code&) { return stack.push_string(rest), true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(int64_t number, json::string_view, json::error_code&) {
    return stack.push_int64(number), true;
  }
  bool on_uint64(uint64_t number, json::string_view, json::error_code&) {
    return stack.push_uint64(number), true;
  }
  bool on_double(double number, json::string_view text, json::error_code&) {
    std::from_chars(text.data(), text.data() + text.size(), number);  // stays what it was where out of range
    return stack.push_double(number), true;
  }
  bool on_bool(bool value, json::error_code&) { return stack.push_bool(value), true; }
  bool on_null(json::error_code&) { return stack.push_null(), true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  const std::string& where;
  json::value_stack stack;
  std::string key;                                    // so far
  std::vector<std::unordered_set<std::string>> keys;  // of the objects that are open, outermost first
};

[[noreturn]] void fail_kind(const json::value& value, const std::string& where, const char* expected) {
  std::string found = json::serialize(value);
  if (found.size() > 60) found = found.substr(0, 57) + "...";
  fail(ErrorCode::kCorrupt, "{}: expected {}, found {}", where, expected, found);
}

std::string member_name(const std::string& where, std::string_view key) {
  return fmt::format("{}: \"{}\"", where, key);
}

template <typename T, typename Read>
std::optional<std::vector<T>> find_list(const json::object& object, std::string_view key,
                                        const std::string& where, Read read) {
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
    const double number = value.get_double();
    out += std::isfinite(number) ? fmt::format("{}", number) : "null";
    if (number == 0 && std::signbit(number)) out += ".0";  // "-0" reads back as an integer, which has no sign
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

json::value parse_json(std::string_view text, const std::string& where, JsonText strings) {
  json::parse_options options;
  options.allow_invalid_utf8 = strings == JsonText::kAnyBytes;
  json::basic_parser<Handler> parser(options, where);
  json::error_code error;
  const size_t length = parser.write_some(false, text.data(), text.size(), error);
  if (!error && length < text.size()) error = json::make_error_code(json::error::extra_data);
  if (error) fail(ErrorCode::kCorrupt, "{}: is not valid JSON: {}", where, error.message());
  return parser.handler().stack.release();
}

json::value read_json(const std::filesystem::path& path, JsonText strings) {
  const MappedFile file(path);
  if (file.bytes().size() > kLargestJson) {
    fail(ErrorCode::kCorrupt, "{}: {} bytes are too many for a JSON file", path.string(),
         file.bytes().size());
  }
  return parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path.string(),
                    strings);
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

std::optional<double> find_number(const json::object& object, std::string_view key,
                                  const std::string& where) {
  const json::value* value = find_member(object, key);
  if (value == nullptr) return std::nullopt;
  return as_number(*value, member_name(where, key));
}

std::optional<std::string> find_string(const json::object& object, std::string_view key,
                                       const std::string& where) {
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
