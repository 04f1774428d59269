#include <catch2/catch.hpp>

#include "eval/machine.h"
#include "tests/run_binary.h"

using namespace swinzoo;

TEST_CASE("env prints every field as text") {
  const Result result = run_swinzoo({"env"});
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  const eval::Machine none;
  visit_fields(none, [&](const eval::Field& field, const auto&) {
    CHECK_THAT(result.out, Catch::Contains(fmt::format("  {} ", field.name)));
  });
}

TEST_CASE("env prints one result as JSON that reads back as this machine") {
  const Result result = run_swinzoo({"env", "--json"});
  REQUIRE(result.status == 0);
  const json::value document = parse_json(result.out, "env");
  CHECK(document.at("schema") == 1);
  REQUIRE(document.at("results").as_array().size() == 1);
  eval::Machine read;
  from_value(document.at("results").at(0), "env", read);
  eval::Machine here = eval::this_machine();
  here.load_average = read.load_average;
  CHECK(read == here);
  CHECK(parse_json(run_swinzoo({"env", "--format", "json"}).out, "env").at("schema") == 1);
}

TEST_CASE("env refuses what it does not know") {
  CHECK(run_swinzoo({"env", "--format", "xml"}).status == 2);
  const Result result = run_swinzoo({"env", "--jsn"});
  CHECK(result.status == 2);
  CHECK_THAT(result.err, Catch::Contains("did you mean '--json'"));
  CHECK(result.out.empty());
}
