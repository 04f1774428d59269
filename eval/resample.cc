#include "eval/resample.h"

#include <algorithm>
#include <climits>
#include <cmath>

#include "formats/error.h"

namespace swinzoo::eval {

namespace {

// 32 bits less 8 of the sample and 2 for sums outside 0..1 (Resample.c: PRECISION_BITS).
constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr int32_t kHalf = 1 << (kPrecisionBits - 1);

double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

struct Filter {
  double (*weight)(double);
  double support;
};

Filter filter_of(zoo::Interpolation interpolation) {
  switch (interpolation) {
    case zoo::Interpolation::kBilinear:
      return {&bilinear, 1.0};
    case zoo::Interpolation::kBicubic:
      return {&bicubic, 2.0};
  }
  fail(ErrorCode::kUnsupported, "interpolation {} is not known", static_cast<int>(interpolation));
}

// What one output pixel of an axis is the sum of.
struct Taps {
  int32_t first;  // input pixel
  int32_t count;
  size_t weights;  // where in Axis::weights
};

struct Axis {
  std::vector<Taps> outputs;
  std::vector<int32_t> weights;  // fixed point
};

// Outputs [from, from + count) of an axis resized from in_size to out_size: Resample.c's precompute_coeffs
// and normalize_coeffs_8bpc, in the same order of operations.
Axis make_axis(int64_t in_size, int64_t out_size, int64_t from, int64_t count, const Filter& filter) {
  const double in_end = static_cast<float>(in_size);
  const double scale = in_end / static_cast<double>(out_size);
  const double filter_scale = std::max(scale, 1.0);
  const double support = filter.support * filter_scale;
  const double max_taps = std::ceil(support) * 2 + 1;
  if (static_cast<double>(out_size) * max_taps * sizeof(double) > INT_MAX) {
    fail(ErrorCode::kUnsupported, "{} pixels cannot be resized to {}: Pillow has no room for that either",
         in_size, out_size);
  }
  const double inverse_scale = 1.0 / filter_scale;
  Axis axis;
  std::vector<double> exact;
  for (int64_t i = from; i < from + count; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto begin = std::max(static_cast<int>(center - support + 0.5), 0);
    const auto end = std::min(static_cast<int>(center + support + 0.5), static_cast<int>(in_size));
    exact.clear();
    double sum = 0.0;
    for (int x = begin; x < end; ++x) {
      exact.push_back(filter.weight((x - center + 0.5) * inverse_scale));
      sum += exact.back();
    }
    axis.outputs.push_back({begin, end - begin, axis.weights.size()});
    for (double weight : exact) {
      if (sum != 0.0) weight /= sum;
      const double fixed = weight * (1 << kPrecisionBits);
      axis.weights.push_back(static_cast<int32_t>(weight < 0 ? fixed - 0.5 : fixed + 0.5));
    }
  }
  return axis;
}

uint8_t rounded(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255)); }

void resize_row(const uint8_t* in, const Axis& axis, uint8_t* out) {
  for (const Taps& taps : axis.outputs) {
    const int32_t* weights = axis.weights.data() + taps.weights;
    const uint8_t* pixel = in + int64_t{3} * taps.first;
    int32_t red = kHalf, green = kHalf, blue = kHalf;
    for (int32_t i = 0; i < taps.count; ++i, pixel += 3) {
      red += pixel[0] * weights[i];
      green += pixel[1] * weights[i];
      blue += pixel[2] * weights[i];
    }
    *out++ = rounded(red);
    *out++ = rounded(green);
    *out++ = rounded(blue);
  }
}

// `in` is the row of taps.first; rows are `sums.size()` samples.
void combine_rows(const uint8_t* in, const Taps& taps, const int32_t* weights, std::vector<int32_t>& sums,
                  uint8_t* out) {
  const size_t stride = sums.size();
  std::fill(sums.begin(), sums.end(), kHalf);
  for (int32_t i = 0; i < taps.count; ++i, in += stride) {
    const int32_t weight = weights[i];
    for (size_t x = 0; x < stride; ++x) sums[x] += in[x] * weight;
  }
  for (size_t x = 0; x < stride; ++x) out[x] = rounded(sums[x]);
}

}  // namespace

Image resize_window(const Image& image, int64_t width, int64_t height, const Window& window,
                    zoo::Interpolation interpolation) {
  if (width < 1 || height < 1) {
    fail(ErrorCode::kUnsupported, "an image of {} x {} pixels cannot be resized to {} x {}", image.width,
         image.height, width, height);
  }
  const Filter filter = filter_of(interpolation);
  const Axis across = make_axis(image.width, width, window.left, window.width, filter);
  const Axis down = make_axis(image.height, height, window.top, window.height, filter);
  const int64_t first_row = down.outputs.front().first;
  const int64_t end_row = down.outputs.back().first + down.outputs.back().count;
  const int64_t stride = 3 * window.width;

  std::vector<uint8_t> rows(static_cast<size_t>((end_row - first_row) * stride));
  for (int64_t y = first_row; y < end_row; ++y) {
    resize_row(image.rgb.data() + 3 * image.width * y, across, rows.data() + stride * (y - first_row));
  }
  Image resized{window.width, window.height,
                std::vector<uint8_t>(static_cast<size_t>(window.height * stride))};
  std::vector<int32_t> sums(static_cast<size_t>(stride));
  for (int64_t y = 0; y < window.height; ++y) {
    const Taps& taps = down.outputs[static_cast<size_t>(y)];
    combine_rows(rows.data() + stride * (taps.first - first_row), taps, down.weights.data() + taps.weights,
                 sums, resized.rgb.data() + stride * y);
  }
  return resized;
}

Image resize(const Image& image, int64_t width, int64_t height, zoo::Interpolation interpolation) {
  return resize_window(image, width, height, {0, 0, width, height}, interpolation);
}

}  // namespace swinzoo::eval
