// Figures about series of numbers, which REQUIRE at least one value, none of them NaN; and about shares.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace swinzoo::eval {

double mean(std::span<const double> values);

// The sample's standard deviation (divided by n - 1, as hyperfine and numpy.std(ddof=1) do). REQUIRES: two
// values.
double standard_deviation(std::span<const double> values);

// The value below which `percent` (0 to 100) of the values lie, interpolated linearly between the two
// nearest, as numpy.percentile does by default.
double percentile(std::span<const double> values, double percent);

inline double median(std::span<const double> values) { return percentile(values, 50); }

struct Interval {
  double low = 0;
  double high = 0;
};

// Wilson's score interval, without continuity correction, for the share of right ones that `right` of `count`
// drawn ones tell of: what 95% of such intervals contain, as scipy.stats.binomtest(right,
// count).proportion_ci(0.95, method="wilson") gives it. From 0 to 1. REQUIRES: 0 <= right <= count, count >
// 0.
Interval wilson_interval(int64_t right, int64_t count);

// A 95% interval of the median of what the values were drawn from, whatever its distribution: the k-th
// smallest and the k-th largest value, k the largest number with P(Binomial(n, 1/2) < k) <= 2.5% (David and
// Nagaraja, Order Statistics, 3rd edition, section 7.1; for independent draws). Nothing below 6 values, which
// can't tell.
std::optional<Interval> median_interval(std::span<const double> values);

// Half the width of that interval in percent of the median. Nothing where there is no interval, or the median
// is not positive.
std::optional<double> median_error_percent(std::span<const double> values);

}  // namespace swinzoo::eval
