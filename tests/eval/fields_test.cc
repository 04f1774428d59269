#include "eval/fields.h"

#include <catch2/catch.hpp>
#include <limits>

#include "formats/error.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

struct Inner {
  std::string text;
  std::vector<float> floats;

  bool operator==(const Inner&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, Inner>
void visit_fields(Self& inner, Visit&& visit) {
  visit(Field{.name = "text"}, inner.text);
  visit(Field{.name = "floats"}, inner.floats);
}

struct Outer {
  bool flag = false;
  int64_t whole = 0;
  std::optional<double> number;
  std::optional<std::vector<int64_t>> list;
  std::vector<Inner> inner;

  bool operator==(const Outer&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, Outer>
void visit_fields(Self& outer, Visit&& visit) {
  visit(Field{.name = "flag"}, outer.flag);
  visit(Field{.name = "whole"}, outer.whole);
  visit(Field{.name = "number"}, outer.number);
  visit(Field{.name = "list"}, outer.list);
  visit(Field{.name = "inner"}, outer.inner);
}

Outer read(const std::string& text) {
  Outer outer;
  from_value(parse_json(text, "here"), "here", outer);
  return outer;
}

std::string message_of(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kCorrupt);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("missing fields are left out and an empty optional list is not missing") {
  Outer outer;
  CHECK(to_json_line(to_object(outer)) == R"({"flag":false,"whole":0})");
  outer.number = std::numeric_limits<double>::quiet_NaN();
  outer.list.emplace();
  CHECK(to_json_line(to_object(outer)) == R"({"flag":false,"whole":0,"list":[]})");
}

TEST_CASE("a struct comes back from its JSON as it was") {
  Outer outer;
  outer.flag = true;
  outer.whole = std::numeric_limits<int64_t>::min();
  outer.number = 0.1 + 0.2;
  outer.list = {1, 2};
  outer.inner = {{"a \"quoted\" text", {0.1f, 1e-30f, 3.4028235e38f, 16777216.0f}}, {"b", {}}};
  const std::string text = to_pretty_json(to_value(outer));
  CHECK(read(text) == outer);
  CHECK(text.find("0.30000000000000004") != std::string::npos);
  CHECK(text.find("[0.1, 1e-30, ") != std::string::npos);
}

TEST_CASE("reading ignores null and unknown members") {
  CHECK(read(R"({"number": null, "later": [1], "whole": 7.0})").whole == 7);
}

TEST_CASE("a field of the wrong type is named") {
  CHECK(message_of(R"({"flag": 1})") == "here: \"flag\": expected true or false, found 1");
  CHECK(message_of(R"({"whole": 7.5})").starts_with("here: \"whole\": expected a whole number, found 7.5"));
  CHECK(message_of(R"({"number": "1"})") == "here: \"number\": expected a number, found \"1\"");
  CHECK(message_of(R"({"list": {}})") == "here: \"list\": expected an array, found {}");
  CHECK(message_of(R"({"list": [1, "x"]})") == "here: \"list\": expected a whole number, found \"x\"");
  CHECK(message_of(R"({"inner": [{"text": 3}]})") == "here: \"inner\": \"text\": expected a string, found 3");
  CHECK(message_of("[]") == "here: expected an object, found []");
}
