#include "eval/bootstrap.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <random>
#include <vector>

namespace swinzoo::eval {
namespace {

using Random = std::mt19937_64;

// The median, in any order left behind.
double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

// Fills `drawn` with values of `from`, with replacement.
void draw(std::span<const double> from, std::vector<double>& drawn, Random& random) {
  std::uniform_int_distribution<size_t> index(0, from.size() - 1);
  for (double& value : drawn) value = from[index(random)];
}

template <typename Figure>
std::vector<double> resample(const BootstrapOptions& options, const Figure& figure) {
  Random random(options.seed);
  std::vector<double> figures(static_cast<size_t>(options.resamples));
  for (double& value : figures) value = figure(random);
  return figures;
}

Interval middle_of(std::span<const double> figures) {
  return {percentile(figures, 2.5), percentile(figures, 97.5)};
}

int64_t draw_count(int64_t count, double share, Random& random) {
  return std::binomial_distribution<int64_t>(count, std::clamp(share, 0.0, 1.0))(random);
}

double share_of(int64_t part, int64_t all) { return static_cast<double>(part) / static_cast<double>(all); }

}  // namespace

Interval bootstrap_ratio(std::span<const double> x, std::span<const double> y,
                         const BootstrapOptions& options) {
  assert(!x.empty() && !y.empty());
  std::vector<double> drawn_x(x.size()), drawn_y(y.size());
  return middle_of(resample(options, [&](Random& random) {
    draw(x, drawn_x, random);
    draw(y, drawn_y, random);
    return median_of(drawn_y) / median_of(drawn_x);
  }));
}

Interval bootstrap_median(std::span<const double> values, const BootstrapOptions& options) {
  assert(!values.empty());
  std::vector<double> drawn(values.size());
  return middle_of(resample(options, [&](Random& random) {
    draw(values, drawn, random);
    return median_of(drawn);
  }));
}

double median_reach(std::span<const double> values, size_t count, const BootstrapOptions& options) {
  assert(!values.empty() && count > 0);
  std::vector<double> drawn(count);
  std::bernoulli_distribution is_negative;
  return percentile(resample(options,
                             [&](Random& random) {
                               draw(values, drawn, random);
                               for (double& value : drawn) value = is_negative(random) ? -value : value;
                               return std::abs(median_of(drawn));
                             }),
                    95);
}

Interval bootstrap_paired_shares(int64_t lost, int64_t gained, int64_t count,
                                 const BootstrapOptions& options) {
  assert(count > 0 && lost + gained <= count);
  return middle_of(resample(options, [&](Random& random) {
    // Three kinds of items, drawn as two binomials: the lost of all, then the gained of what is left.
    const int64_t drawn_lost = draw_count(count, share_of(lost, count), random);
    const int64_t others = count - lost;
    const int64_t drawn_gained =
        others == 0 ? 0 : draw_count(count - drawn_lost, share_of(gained, others), random);
    return share_of(drawn_gained - drawn_lost, count);
  }));
}

Interval bootstrap_shares(int64_t right1, int64_t count1, int64_t right2, int64_t count2,
                          const BootstrapOptions& options) {
  assert(count1 > 0 && count2 > 0);
  return middle_of(resample(options, [&](Random& random) {
    const int64_t drawn1 = draw_count(count1, share_of(right1, count1), random);
    const int64_t drawn2 = draw_count(count2, share_of(right2, count2), random);
    return share_of(drawn2, count2) - share_of(drawn1, count1);
  }));
}

}  // namespace swinzoo::eval
