#include "zoo/bias_table.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace swinzoo::zoo {
namespace {

// Where the `extent` offsets of a table lie on the axis of a table of `new_extent`: 1, 1 + q, 1 + q + q^2, ..
// and the same to the other side of 0, with the q that reaches the new table's end. q is 1.01 to 1.5, found
// by halving.
std::vector<double> spread_offsets(int64_t extent, int64_t new_extent) {
  const int64_t reach = extent / 2;
  double left = 1.01, right = 1.5, q = left;
  while (right - left > 1e-6) {
    q = (left + right) / 2;
    const double end = (1 - std::pow(q, static_cast<double>(reach))) / (1 - q);
    (end > static_cast<double>(new_extent / 2) ? right : left) = q;
  }
  std::vector<double> offsets = {0};
  double step = 1;
  for (int64_t i = 0; i < reach; ++i, step *= q) {
    offsets.push_back(offsets.back() + step);
    offsets.insert(offsets.begin(), -offsets.back());
  }
  return offsets;
}

// A value between two neighbours: the index of the lower one, and how much the upper one counts.
struct Place {
  int64_t lower;
  double upper_share;
};

std::vector<Place> places_of(int64_t extent, int64_t new_extent) {
  const std::vector<double> offsets = spread_offsets(extent, new_extent);
  std::vector<Place> places;
  for (int64_t x = -(new_extent / 2); x <= new_extent / 2; ++x) {
    const auto found = std::lower_bound(offsets.begin(), offsets.end(), static_cast<double>(x));
    const int64_t upper = std::clamp<int64_t>(found - offsets.begin(), 1, extent - 1);
    const double below = offsets[static_cast<size_t>(upper) - 1], above = offsets[static_cast<size_t>(upper)];
    places.push_back({upper - 1, std::clamp((static_cast<double>(x) - below) / (above - below), 0.0, 1.0)});
  }
  return places;
}

}  // namespace

std::optional<int64_t> window_of_table(int64_t rows) {
  const auto extent = std::lround(std::sqrt(static_cast<double>(rows)));
  if (extent * extent != rows || extent % 2 == 0) return std::nullopt;
  return (extent + 1) / 2;
}

Tensor resized_bias_table(const TensorView& table, int64_t window) {
  const int64_t heads = table.shape[1];
  const int64_t extent = 2 * window_of_table(table.shape[0]).value() - 1;
  const int64_t new_extent = 2 * window - 1;
  Tensor resized(DType::kF32, {new_extent * new_extent, heads});
  if (extent == 1) {  // one offset, 0, holds for all
    for (int64_t row = 0; row < new_extent * new_extent; ++row) {
      std::ranges::copy(table.as<float>(), resized.as<float>().begin() + row * heads);
    }
    return resized;
  }
  const std::vector<Place> places = places_of(extent, new_extent);
  const std::span<const float> from = table.as<float>();
  auto to = resized.as<float>().begin();
  for (const Place& y : places) {
    for (const Place& x : places) {
      for (int64_t head = 0; head < heads; ++head) {
        const auto at = [&](int64_t row, int64_t column) {
          return double{from[static_cast<size_t>((row * extent + column) * heads + head)]};
        };
        const auto across = [&](int64_t row) {
          return at(row, x.lower) * (1 - x.upper_share) + at(row, x.lower + 1) * x.upper_share;
        };
        *to++ =
            static_cast<float>(across(y.lower) * (1 - y.upper_share) + across(y.lower + 1) * y.upper_share);
      }
    }
  }
  return resized;
}

}  // namespace swinzoo::zoo
