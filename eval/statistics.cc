#include "eval/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cassert>
#include <cmath>
#include <numeric>
#include <vector>

namespace swinzoo::eval {

double mean(std::span<const double> values) {
  assert(!values.empty());
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
  assert(values.size() >= 2);
  const double centre = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double percentile(std::span<const double> values, double percent) {
  assert(!values.empty() && percent >= 0 && percent <= 100);
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double position = percent / 100 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - static_cast<double>(below));
}

Interval wilson_interval(int64_t right, int64_t count) {
  assert(count > 0 && right >= 0 && right <= count);
  constexpr double kZ = 1.959963984540054;  // scipy.special.ndtri(0.975)
  const auto n = static_cast<double>(count);
  const double p = static_cast<double>(right) / n;
  const double denominator = 2 * (n + kZ * kZ);
  const double centre = (2 * n * p + kZ * kZ) / denominator;
  const double reach = kZ * std::sqrt(kZ * kZ + 4 * n * p * (1 - p)) / denominator;
  return {right == 0 ? 0.0 : centre - reach, right == count ? 1.0 : centre + reach};
}

std::optional<Interval> median_interval(std::span<const double> values) {
  const size_t n = values.size();
  if (n < 6) return std::nullopt;
  const boost::math::binomial_distribution<double> below(static_cast<double>(n), 0.5);
  auto k = static_cast<size_t>(quantile(below, 0.025)) + 1;
  while (cdf(below, static_cast<double>(k - 1)) > 0.025) --k;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return Interval{sorted[k - 1], sorted[n - k]};
}

std::optional<double> median_error_percent(std::span<const double> values) {
  const auto interval = median_interval(values);
  if (!interval.has_value() || !(median(values) > 0)) return std::nullopt;
  return 100 * (interval->high - interval->low) / 2 / median(values);
}

}  // namespace swinzoo::eval
