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

TEST_CASE("Wilson's intervals equal scipy's") {
  // SciPy 1.17.1: binomtest(right, count).proportion_ci(confidence_level=0.95, method="wilson")
  struct Case {
    int64_t right, count;
    double low, high;
  };
  for (const Case& c : std::initializer_list<Case>{{0, 1, 0.0, 0.7934506856227626},
                                                   {1, 1, 0.20654931437723745, 1.0},
                                                   {0, 50000, 0.0, 7.682327414500053e-05},
                                                   {50000, 50000, 0.999923176725855, 1.0},
                                                   {3, 10, 0.10779126740630102, 0.6032218525388546},
                                                   {5, 7, 0.3589344518326193, 0.9177810759959432},
                                                   {808, 1000, 0.7824275640840394, 0.8312151526888586},
                                                   {1, 7500, 2.3536995074789385e-05, 0.0007549254568241039},
                                                   {4321, 30000, 0.1401056377521337, 0.14805217932895015},
                                                   {40592, 50000, 0.8083902915821826, 0.8152417952781987},
                                                   {47756, 50000, 0.9532700120961775, 0.9569000602867648}}) {
    INFO(c.right << " of " << c.count);
    const Interval interval = wilson_interval(c.right, c.count);
    CHECK(interval.low == Approx(c.low).epsilon(1e-13).margin(1e-18));
    CHECK(interval.high == Approx(c.high).epsilon(1e-13));
  }
}

TEST_CASE("the median's interval is of the order statistics that the binomial distribution gives") {
  // k by scipy.stats.binom.ppf(0.025, n, 0.5), the textbook's table for n = 6, 10, 20, 50: 1, 2, 6, 18.
  const auto low_rank = [](int n) {
    std::vector<double> values;
    for (int i = n; i > 0; --i) values.push_back(i);
    const auto interval = median_interval(values);
    REQUIRE(interval.has_value());
    CHECK(interval->low + interval->high == n + 1);
    return interval->low;
  };
  CHECK(low_rank(6) == 1);
  CHECK(low_rank(8) == 1);
  CHECK(low_rank(9) == 2);
  CHECK(low_rank(10) == 2);
  CHECK(low_rank(20) == 6);
  CHECK(low_rank(50) == 18);
  CHECK(low_rank(1000) == 469);
  CHECK_FALSE(median_interval(std::vector<double>{1, 2, 3, 4, 5}).has_value());
}

TEST_CASE("the median's error is half its interval's width") {
  const std::vector<double> values = {104, 100, 102, 98, 96, 100};
  CHECK(*median_error_percent(values) == Approx(4));
  CHECK(*median_error_percent(std::vector<double>(7, 3.0)) == 0);
  CHECK_FALSE(median_error_percent(std::vector<double>(5, 3.0)).has_value());
  CHECK_FALSE(median_error_percent(std::vector<double>(7, 0.0)).has_value());
}
