// JSON from files and from the network (Boost.JSON), with errors that name where and what.
//
// `where` in every call is what a message starts with: a path, "config.json of timm/x" or the like.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swinzoo {

namespace json = boost::json;

// What strings may hold. Names of files need not be UTF-8, and results hold them as they are.
enum class JsonText { kUtf8, kAnyBytes };

// Throws kCorrupt on anything that is not one JSON value (nesting over 32 levels included), and on an object
// that has a key twice.
json::value parse_json(std::string_view text, const std::string& where, JsonText strings = JsonText::kUtf8);

// Reads and parses a file of at most 64 MiB. Throws kNotFound, or kCorrupt.
json::value read_json(const std::filesystem::path& path, JsonText strings = JsonText::kUtf8);

// A member, or null where it is missing or JSON null.
const json::value* find_member(const json::object& object, std::string_view key);

// The value as a type. Throw kCorrupt, naming `where` and what was found, if it is another.
const json::object& as_object(const json::value& value, const std::string& where);
const json::array& as_array(const json::value& value, const std::string& where);
int64_t as_int(const json::value& value, const std::string& where);  // 7 and 7.0, not 7.5
double as_number(const json::value& value, const std::string& where);
std::string as_string(const json::value& value, const std::string& where);
bool as_bool(const json::value& value, const std::string& where);

// A member as a type, or nothing where it is missing or null. Throw kCorrupt if it is another type.
std::optional<int64_t> find_int(const json::object& object, std::string_view key, const std::string& where);
std::optional<double> find_number(const json::object& object, std::string_view key, const std::string& where);
std::optional<std::string> find_string(const json::object& object, std::string_view key,
                                       const std::string& where);
std::optional<std::vector<int64_t>> find_ints(const json::object& object, std::string_view key,
                                              const std::string& where);
std::optional<std::vector<double>> find_numbers(const json::object& object, std::string_view key,
                                                const std::string& where);

// Two spaces a level, members in their order, numbers as short as they round-trip; arrays of scalars on one
// line. Ends without a newline.
std::string to_pretty_json(const json::value& value);

// The same on one line, without spaces.
std::string to_json_line(const json::value& value);

}  // namespace swinzoo
