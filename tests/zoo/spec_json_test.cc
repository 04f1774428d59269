#include "zoo/spec_json.h"

#include <catch2/catch.hpp>

#include "formats/error.h"
#include "zoo/catalog.h"

using namespace swinzoo;
using namespace swinzoo::zoo;

TEST_CASE("every spec reads back from its JSON as it was") {
  for (const ModelSpec& spec : Catalog::built_in().entries()) {
    INFO(spec.id);
    const std::string text = to_pretty_json(to_json(spec));
    const ModelSpec again = spec_from_json(parse_json(text, "spec"), "spec");
    CHECK(again.dimensions == spec.dimensions);
    CHECK(again.preprocessing == spec.preprocessing);
    CHECK(again.aliases == spec.aliases);
    CHECK(to_pretty_json(to_json(again)) == text);
  }
}

TEST_CASE("a spec without dimensions is refused") {
  json::object row = to_json(Catalog::built_in().entries().front());
  row.erase("dimensions");
  CHECK_THROWS_WITH(spec_from_json(row, "row"), "row: \"dimensions\" is missing");
}

TEST_CASE("a spec with an unknown dimension is refused") {
  json::object row = to_json(Catalog::built_in().entries().front());
  row["dimensions"].as_object()["depth"] = 4;
  CHECK_THROWS_WITH(spec_from_json(row, "row"),
                    "row: \"dimensions\": unknown key \"depth\"; did you mean \"depths\"?");
}

TEST_CASE("a spec keeps the names of its classes and the catalog's rows have none") {
  ModelSpec spec = Catalog::built_in().entries().front();
  CHECK_FALSE(to_json(spec).contains("class_names"));
  spec.num_classes = 2;
  spec.class_names = {"a", "b, \"c\""};
  json::object row = to_json(spec);
  CHECK(spec_from_json(row, "row").class_names == spec.class_names);
  row["class_names"] = {"a", "b", "c"};
  CHECK_THROWS_WITH(spec_from_json(row, "row"), "row: \"class_names\": 3 names for 2 classes");
  row["class_names"] = {"a", 1};
  CHECK_THROWS_AS(spec_from_json(row, "row"), Error);
}
