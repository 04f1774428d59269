// Expected figures: numpy 2.4.6's median, percentile, mean and std(ddof=1) of the same lists.
#include "eval/statistics.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace swinzoo::eval;

TEST_CASE("statistics equal numpy's on an odd number of values in any order") {
  const std::vector<double> values = {3.5, 1.25, 9.75, 4.0, 2.125, 8.5, 7.0};
  CHECK(median(values) == 4.0);
  CHECK(mean(values) == Approx(5.160714285714286).epsilon(1e-14));
  CHECK(standard_deviation(values) == Approx(3.2713356453842986).epsilon(1e-14));
  CHECK(percentile(values, 0) == 1.25);
  CHECK(percentile(values, 10) == Approx(1.775).epsilon(1e-14));
  CHECK(percentile(values, 90) == Approx(9.0).epsilon(1e-14));
  CHECK(percentile(values, 95) == Approx(9.375).epsilon(1e-14));
  CHECK(percentile(values, 99) == Approx(9.675).epsilon(1e-14));
  CHECK(percentile(values, 100) == 9.75);
}

TEST_CASE("statistics equal numpy's on an even number of values") {
  const std::vector<double> values = {10, 20, 30, 40};
  CHECK(median(values) == 25.0);
  CHECK(mean(values) == 25.0);
  CHECK(standard_deviation(values) == Approx(12.909944487358056).epsilon(1e-14));
  CHECK(percentile(values, 10) == Approx(13.0).epsilon(1e-14));
  CHECK(percentile(values, 95) == Approx(38.5).epsilon(1e-14));
  CHECK(percentile(values, 99) == Approx(39.7).epsilon(1e-14));
}

TEST_CASE("one value is every percentile of itself") {
  const std::vector<double> one = {2.5};
  CHECK(median(one) == 2.5);
  CHECK(percentile(one, 0) == 2.5);
  CHECK(percentile(one, 99) == 2.5);
  CHECK(mean(one) == 2.5);
}
