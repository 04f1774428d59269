#include "formats/json.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "formats/error.h"

using namespace swinzoo;

TEST_CASE("fractions are read to the last digit") {
  const double values[] = {195.52878673662826,
                           860.3266616411643,
                           0.1,
                           0.30000000000000004,
                           2.2250738585072014e-308,
                           5e-324,
                           1.7976931348623157e308,
                           8.5,
                           1e-7,
                           0.456};
  for (const double value : values) {
    for (const double sign : {1.0, -1.0}) {
      CHECK(as_number(parse_json(to_pretty_json(sign * value), "here"), "here") == sign * value);
    }
  }
  for (const double zero : {0.0, -0.0}) {
    CHECK(std::signbit(as_number(parse_json(to_json_line(zero), "here"), "here")) == std::signbit(zero));
  }
  const json::value mixed = parse_json(R"([0.224, {"a": -1.25e2}, 18446744073709551615, -7])", "here");
  CHECK(mixed.at(0) == 0.224);
  CHECK(mixed.at(1).at("a") == -125.0);
  CHECK(mixed.at(2) == std::numeric_limits<uint64_t>::max());
  CHECK(mixed.at(3) == -7);
}

TEST_CASE("JSON on one line and in several hold the same") {
  const char* text =
      R"({"a":[],"b":{},"c":[1,{"d":[2.5,null,true]}],"e\"":"x\ny \u00e9 \ud83d\ude00","f":""})";
  const json::value value = parse_json(text, "here");
  CHECK(to_json_line(value) == to_json_line(parse_json(to_pretty_json(value), "here")));
  CHECK(parse_json(to_pretty_json(value), "here") == value);
  CHECK(parse_json(to_json_line(value), "here") == value);
  CHECK(to_json_line(parse_json(R"({"a": [], "b": {}, "c": [1, {"d": 2.5}]})", "here")) ==
        R"({"a":[],"b":{},"c":[1,{"d":2.5}]})");
}

TEST_CASE("what is not one JSON value is corrupt") {
  for (const std::string text :
       {"", " ", "{", "[1,]", "{\"a\":1", "1 2", "nul", "\"\xff\"", "01", "NaN", "{} x"}) {
    INFO(text);
    try {
      parse_json(text, "some.json");
      FAIL("read");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::kCorrupt);
      CHECK_THAT(error.what(), Catch::StartsWith("some.json: is not valid JSON: "));
    }
  }
  CHECK_NOTHROW(parse_json(std::string(32, '[') + std::string(32, ']'), "here"));
  CHECK_THROWS_AS(parse_json(std::string(33, '[') + std::string(33, ']'), "here"), Error);
}

TEST_CASE("a key that stands twice in an object is corrupt and named") {
  for (const std::string text :
       {R"({"a": 1, "a": 1})", R"([{"b": {"x": 1, "y": 2, "x": {}}}])", R"({"a": {}, "b": {"a": 1}, "a": 2})",
        R"({"x\u0061": 1, "xa": 2})", R"({"": 1, "": 2})"}) {
    INFO(text);
    try {
      parse_json(text, "some.json");
      FAIL("read");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::kCorrupt);
      CHECK_THAT(error.what(), Catch::StartsWith("some.json: an object has the key \""));
      CHECK_THAT(error.what(), Catch::EndsWith("\" twice"));
    }
  }
  CHECK_NOTHROW(parse_json(R"([{"a": {"a": {"a": 1}}}, {"a": 1}, {"A": 1, "a": [{"a": 1}]}])", "here"));
}
