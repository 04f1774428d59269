#include "eval/resample_axis.h"

#include <algorithm>
#include <climits>
#include <cmath>

#include "formats/error.h"

namespace swinzoo::eval {

namespace {

constexpr size_t kPadding = 4;  // what numbers of weights are a multiple of

struct Bilinear {
  static constexpr double kSupport = 1.0;

  static double weight(double x) {
    x = std::abs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
  }
};

struct Bicubic {
  static constexpr double kSupport = 2.0;

  static double weight(double x) {
    constexpr double a = -0.5;
    x = std::abs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
  }
};

WeightPair pair_of(int32_t first, int32_t second) {
  constexpr int32_t kMask = (1 << kLowBits) - 1;
  const auto joined = [](int32_t low, int32_t high) {
    return static_cast<int32_t>((static_cast<uint32_t>(low) & 0xffff) | static_cast<uint32_t>(high) << 16);
  };
  return {joined(first & kMask, second & kMask), joined(first >> kLowBits, second >> kLowBits)};
}

// In Pillow's order of operations.
template <typename Filter>
void fill_axis(int64_t in_size, int64_t out_size, int64_t from, int64_t count, ResampleAxis& axis) {
  const double in_end = static_cast<float>(in_size);
  const double scale = in_end / static_cast<double>(out_size);
  const double filter_scale = std::max(scale, 1.0);
  const double support = Filter::kSupport * filter_scale;
  const double max_taps = std::ceil(support) * 2 + 1;
  if (static_cast<double>(out_size) * max_taps * sizeof(double) > INT_MAX) {
    fail(ErrorCode::kUnsupported, "{} pixels cannot be resized to {}: Pillow has no room for that either",
         in_size, out_size);
  }
  const double inverse_scale = 1.0 / filter_scale;
  std::vector<double> exact;
  for (int64_t i = from; i < from + count; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto begin = std::max(static_cast<int>(center - support + 0.5), 0);
    const auto end = std::min(static_cast<int>(center + support + 0.5), static_cast<int>(in_size));
    exact.clear();
    double sum = 0.0;
    for (int x = begin; x < end; ++x) {
      exact.push_back(Filter::weight((x - center + 0.5) * inverse_scale));
      sum += exact.back();
    }
    axis.outputs.push_back({begin, end - begin, static_cast<int64_t>(axis.weights.size())});
    for (double weight : exact) {
      if (sum != 0.0) weight /= sum;
      const double fixed = weight * (1 << kWeightBits);
      axis.weights.push_back(static_cast<int32_t>(weight < 0 ? fixed - 0.5 : fixed + 0.5));
    }
    axis.weights.resize((axis.weights.size() + kPadding - 1) / kPadding * kPadding);
  }
  for (size_t i = 0; i < axis.weights.size(); i += 2) {
    axis.pairs.push_back(pair_of(axis.weights[i], axis.weights[i + 1]));
  }
}

}  // namespace

void ResampleAxis::move_origin(int64_t origin) {
  for (Taps& taps : outputs) taps.first -= static_cast<int32_t>(origin);
}

void make_axis(int64_t in_size, int64_t out_size, int64_t from, int64_t count,
               zoo::Interpolation interpolation, ResampleAxis& axis) {
  axis.outputs.clear();
  axis.weights.clear();
  axis.pairs.clear();
  switch (interpolation) {
    case zoo::Interpolation::kBilinear:
      return fill_axis<Bilinear>(in_size, out_size, from, count, axis);
    case zoo::Interpolation::kBicubic:
      return fill_axis<Bicubic>(in_size, out_size, from, count, axis);
  }
  fail(ErrorCode::kUnsupported, "interpolation {} is not known", static_cast<int>(interpolation));
}

}  // namespace swinzoo::eval
