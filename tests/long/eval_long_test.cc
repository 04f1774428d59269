// What takes minutes: an evaluation that is killed 50 times.
#include <catch2/catch.hpp>

#include "tests/eval_folder.h"

using namespace swinzoo;

TEST_CASE("an evaluation that is killed fifty times gives the same to the last digit") {
  check_killed_evaluation(50, 1500);
}
