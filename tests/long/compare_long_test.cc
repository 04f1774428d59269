// A thousand whole comparisons a case, on made-up machines with drift, spikes, two modes and neighbours.
#include <catch2/catch.hpp>

#include "tests/eval/compare_simulation.h"

using namespace swinzoo::eval;

TEST_CASE("of a thousand comparisons of the same by turns at most 1% alarm") {
  const Endings endings = simulate(1000, 0, 1);
  CAPTURE(endings.same, endings.inconclusive, endings.better);
  CHECK(endings.regression <= 10);
  CHECK(endings.better <= 10);
}

TEST_CASE("of a thousand slowdowns by 5% at least 95% are found, and none is called faster") {
  const Endings endings = simulate(1000, 0.05, 1);
  CAPTURE(endings.same, endings.inconclusive);
  CHECK(endings.regression >= 950);
  CHECK(endings.better == 0);
}

TEST_CASE("of a thousand comparisons of results measured apart at most 1% alarm") {
  const Endings endings = simulate_apart(1000, 1);
  CAPTURE(endings.same, endings.inconclusive);
  CHECK(endings.regression <= 10);
  CHECK(endings.better <= 10);
}
