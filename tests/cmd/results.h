// What the tests of subcommands read from a run of the binary.
#pragma once

#include <catch2/catch.hpp>

#include "formats/json.h"
#include "tests/run_binary.h"

namespace swinzoo {

// The "results" of a JSON document on standard output.
inline json::array results_of(const Result& result) {
  INFO(result.err);
  const json::value document = parse_json(result.out, "standard output");
  CHECK(document.at("schema") == 1);
  return document.at("results").as_array();
}

}  // namespace swinzoo
