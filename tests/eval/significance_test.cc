// Against what SciPy and statsmodels say of made samples: data/make_statistics_cases.py.
#include "eval/significance.h"

#include <catch2/catch.hpp>

#include "eval/bootstrap.h"
#include "formats/json.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

const json::object& cases() {
  static const json::value kCases = read_json(SWINZOO_TEST_DATA "/statistics.json");
  return as_object(kCases, "cases");
}

const json::array& cases_of(const char* name) { return as_array(*find_member(cases(), name), name); }

const json::array& bootstrap_cases(const char* name) {
  return as_array(*find_member(as_object(*find_member(cases(), "bootstrap"), "bootstrap"), name), name);
}

double number(const json::value& one, const char* name) { return as_number(one.at(name), name); }
int64_t integer(const json::value& one, const char* name) { return as_int(one.at(name), name); }
std::vector<double> numbers(const json::value& one, const char* name) {
  return find_numbers(one.as_object(), name, name).value();
}

Approx exactly(double value) { return Approx(value).epsilon(1e-9).margin(1e-15); }

// Within what SciPy's own bounds vary from seed to seed.
void check_interval(const Interval& found, const json::value& one) {
  CHECK(found.low == Approx(number(one, "low")).margin(5 * number(one, "low_sd") + 1e-12).epsilon(0));
  CHECK(found.high == Approx(number(one, "high")).margin(5 * number(one, "high_sd") + 1e-12).epsilon(0));
}

}  // namespace

TEST_CASE("Mann-Whitney's U and p equal SciPy's, exact and asymptotic") {
  REQUIRE(cases_of("mann_whitney").size() > 8);
  for (const json::value& one : cases_of("mann_whitney")) {
    const auto x = numbers(one, "x");
    const auto y = numbers(one, "y");
    INFO(x.size() << " and " << y.size());
    const TestResult result = mann_whitney_u(x, y);
    CHECK(result.statistic == exactly(number(one, "statistic")));
    CHECK(result.p == exactly(number(one, "p")));
    CHECK(mann_whitney_u(y, x).p == exactly(number(one, "p")));
    const double pairs = static_cast<double>(x.size() * y.size());
    CHECK(cliffs_delta(x, y) == Approx(1 - 2 * number(one, "statistic") / pairs));
  }
}

TEST_CASE("Cliff's delta counts pairs") {
  CHECK(cliffs_delta(std::vector<double>{1, 2}, std::vector<double>{3, 4}) == 1);
  CHECK(cliffs_delta(std::vector<double>{3, 4}, std::vector<double>{1, 2}) == -1);
  CHECK(cliffs_delta(std::vector<double>{1, 2}, std::vector<double>{2, 1}) == 0);
  CHECK(cliffs_delta(std::vector<double>{1, 3}, std::vector<double>{2, 4}) == 0.5);
}

TEST_CASE("McNemar's p equals SciPy's") {
  for (const json::value& one : cases_of("mcnemar"))
    CHECK(mcnemar(integer(one, "lost"), integer(one, "gained")) == exactly(number(one, "p")));
  CHECK(mcnemar(0, 0) == 1);
}

TEST_CASE("two proportions equal statsmodels'") {
  for (const json::value& one : cases_of("proportions")) {
    const double p = two_proportions(integer(one, "right1"), integer(one, "count1"), integer(one, "right2"),
                                     integer(one, "count2"));
    CHECK(p == exactly(number(one, "p")));
  }
  CHECK(two_proportions(3, 3, 5, 5) == 1);
}

TEST_CASE("Benjamini and Hochberg's p-values equal SciPy's") {
  for (const json::value& one : cases_of("false_discovery")) {
    const auto adjusted = benjamini_hochberg(numbers(one, "p"));
    const auto expected = numbers(one, "adjusted");
    REQUIRE(adjusted.size() == expected.size());
    for (size_t i = 0; i < expected.size(); ++i) CHECK(adjusted[i] == exactly(expected[i]));
  }
  CHECK(benjamini_hochberg({}).empty());
}

TEST_CASE("bootstrap intervals equal SciPy's within what these vary from seed to seed") {
  for (const uint64_t seed : {1, 2}) {
    const BootstrapOptions options{.seed = seed};
    for (const json::value& one : bootstrap_cases("ratio"))
      check_interval(bootstrap_ratio(numbers(one, "x"), numbers(one, "y"), options), one);
    for (const json::value& one : bootstrap_cases("median"))
      check_interval(bootstrap_median(numbers(one, "x"), options), one);
    for (const json::value& one : bootstrap_cases("paired")) {
      const Interval found = bootstrap_paired_shares(integer(one, "lost"), integer(one, "gained"),
                                                     integer(one, "count"), options);
      check_interval(found, one);
    }
    for (const json::value& one : bootstrap_cases("shares")) {
      const Interval found = bootstrap_shares(integer(one, "right1"), integer(one, "count1"),
                                              integer(one, "right2"), integer(one, "count2"), options);
      check_interval(found, one);
    }
  }
}

TEST_CASE("the same seed gives the same interval") {
  const std::vector<double> x = {1, 2, 3, 4, 5, 6, 7}, y = {2, 3, 4, 5, 6, 7, 9};
  const Interval first = bootstrap_ratio(x, y, {.seed = 5});
  CHECK(first.low == bootstrap_ratio(x, y, {.seed = 5}).low);
  CHECK(first.high == bootstrap_ratio(x, y, {.seed = 5}).high);
}

TEST_CASE("the reach of a median is that of draws with signs by chance") {
  const std::vector<double> same = {2, 2, 2};
  CHECK(median_reach(same, 9, {}) == 2);
  const std::vector<double> none = {0, 0};
  CHECK(median_reach(none, 4, {}) == 0);
  std::vector<double> spread;
  for (int i = -50; i <= 50; ++i) spread.push_back(i);
  // The median of 25 uniform values in -50..50 has a standard deviation of about 100 / (2 sqrt(27)).
  CHECK(median_reach(spread, 25, {}) == Approx(1.96 * 9.6).epsilon(0.1));
}
