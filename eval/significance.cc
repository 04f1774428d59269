#include "eval/significance.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cassert>
#include <cmath>
#include <numeric>

namespace swinzoo::eval {
namespace {

constexpr size_t kMostExactSmaller = 8;
constexpr size_t kMostExactPairs = 10'000;

double normal_tail(double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); }

struct Ranks {
  std::vector<double> of;  // from 1; ties share the mean of theirs
  double ties = 0;         // sum of t^3 - t over groups of t equal values
};

Ranks ranks_of(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  Ranks ranks;
  ranks.of.resize(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const auto count = static_cast<double>(end - begin);
    ranks.ties += count * count * count - count;
    const double shared = static_cast<double>(begin + end + 1) / 2;
    for (; begin < end; ++begin) ranks.of[order[begin]] = shared;
  }
  return ranks;
}

// The probability that U is `least` or more, of samples of m and n values: by the recurrence over which
// sample holds the largest value.
double exact_u_tail(size_t m, size_t n, double least) {
  std::vector<std::vector<double>> ways(m + 1);  // ways[i][u]: of i values against those of n so far
  for (size_t i = 0; i <= m; ++i) {
    ways[i].assign(m * n + 1, 0.0);
    ways[i][0] = 1;
  }
  for (size_t j = 1; j <= n; ++j) {
    for (size_t i = 1; i <= m; ++i) {
      for (size_t u = i * j; u >= j; --u) ways[i][u] += ways[i - 1][u - j];
    }
  }
  const std::vector<double>& counts = ways[m];
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  return std::accumulate(counts.begin() + static_cast<std::ptrdiff_t>(least), counts.end(), 0.0) / all;
}

}  // namespace

TestResult mann_whitney_u(std::span<const double> x, std::span<const double> y) {
  assert(!x.empty() && !y.empty());
  std::vector<double> all(x.begin(), x.end());
  all.insert(all.end(), y.begin(), y.end());
  const Ranks ranks = ranks_of(all);
  const auto m = static_cast<double>(x.size());
  const auto n = static_cast<double>(y.size());
  const double sum = std::accumulate(ranks.of.begin(), ranks.of.begin() + std::ssize(x), 0.0);
  TestResult result;
  result.statistic = sum - m * (m + 1) / 2;
  const double larger = std::max(result.statistic, m * n - result.statistic);
  const size_t smaller = std::min(x.size(), y.size());
  if (smaller <= kMostExactSmaller && ranks.ties == 0 && x.size() * y.size() <= kMostExactPairs) {
    result.p = std::min(1.0, 2 * exact_u_tail(smaller, std::max(x.size(), y.size()), larger));
    return result;
  }
  const double variance = m * n / 12 * (m + n + 1 - ranks.ties / ((m + n) * (m + n - 1)));
  if (variance <= 0) return result;  // all values are equal
  result.p = std::min(1.0, 2 * normal_tail((larger - m * n / 2 - 0.5) / std::sqrt(variance)));
  return result;
}

double cliffs_delta(std::span<const double> x, std::span<const double> y) {
  const double pairs = static_cast<double>(x.size()) * static_cast<double>(y.size());
  return 1 - 2 * mann_whitney_u(x, y).statistic / pairs;
}

double mcnemar(int64_t lost, int64_t gained) {
  assert(lost >= 0 && gained >= 0);
  if (lost + gained == 0) return 1;
  const boost::math::binomial_distribution<double> flips(static_cast<double>(lost + gained), 0.5);
  return std::min(1.0, 2 * boost::math::cdf(flips, static_cast<double>(std::min(lost, gained))));
}

double two_proportions(int64_t right1, int64_t count1, int64_t right2, int64_t count2) {
  assert(count1 > 0 && count2 > 0);
  const auto n1 = static_cast<double>(count1);
  const auto n2 = static_cast<double>(count2);
  const double pooled = static_cast<double>(right1 + right2) / (n1 + n2);
  const double variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2);
  if (variance <= 0) return 1;
  const double difference = static_cast<double>(right1) / n1 - static_cast<double>(right2) / n2;
  return std::min(1.0, 2 * normal_tail(std::abs(difference) / std::sqrt(variance)));
}

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double least = 1;
  for (size_t i = order.size(); i-- > 0;) {
    least = std::min(least, p[order[i]] * static_cast<double>(p.size()) / static_cast<double>(i + 1));
    adjusted[order[i]] = least;
  }
  return adjusted;
}

}  // namespace swinzoo::eval
