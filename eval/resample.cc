#include "eval/resample.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <utility>

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

struct Range {
  int64_t first;
  int64_t count;
};

// The input pixels that any output of the axis needs.
Range inputs_of(const Axis& axis) {
  const Taps& last = axis.outputs.back();
  const int64_t first = axis.outputs.front().first;
  return {first, last.first + last.count - first};
}

uint8_t rounded(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255)); }

// Rows of RGB pixels in somebody else's memory. `left` and `top` are what column and row its first pixel is.
struct Pixels {
  const uint8_t* data;
  int64_t stride;  // bytes
  int64_t left;
  int64_t top;
};

struct Buffer {
  std::vector<uint8_t> samples;
  int64_t stride;  // bytes
};

// Every output of `across` for `count` rows from `first` on.
Buffer pass_across(const Pixels& in, int64_t first, int64_t count, const Axis& across) {
  Buffer out{{}, 3 * static_cast<int64_t>(across.outputs.size())};
  out.samples.resize(static_cast<size_t>(count * out.stride));
  uint8_t* sample = out.samples.data();
  for (int64_t y = first; y < first + count; ++y) {
    const uint8_t* row = in.data + (y - in.top) * in.stride;
    for (const Taps& taps : across.outputs) {
      const int32_t* weights = across.weights.data() + taps.weights;
      const uint8_t* pixel = row + 3 * (taps.first - in.left);
      int32_t red = kHalf, green = kHalf, blue = kHalf;
      for (int32_t i = 0; i < taps.count; ++i, pixel += 3) {
        red += pixel[0] * weights[i];
        green += pixel[1] * weights[i];
        blue += pixel[2] * weights[i];
      }
      *sample++ = rounded(red);
      *sample++ = rounded(green);
      *sample++ = rounded(blue);
    }
  }
  return out;
}

// Every output of `down` for `count` columns from `first` on.
Buffer pass_down(const Pixels& in, int64_t first, int64_t count, const Axis& down) {
  Buffer out{{}, 3 * count};
  out.samples.resize(down.outputs.size() * static_cast<size_t>(out.stride));
  std::vector<int32_t> sums(static_cast<size_t>(out.stride));
  uint8_t* out_row = out.samples.data();
  for (const Taps& taps : down.outputs) {
    std::fill(sums.begin(), sums.end(), kHalf);
    const uint8_t* row = in.data + (taps.first - in.top) * in.stride + 3 * (first - in.left);
    for (int32_t i = 0; i < taps.count; ++i, row += in.stride) {
      const int32_t weight = down.weights[taps.weights + static_cast<size_t>(i)];
      for (size_t x = 0; x < sums.size(); ++x) sums[x] += row[x] * weight;
    }
    for (size_t x = 0; x < sums.size(); ++x) out_row[x] = rounded(sums[x]);
    out_row += out.stride;
  }
  return out;
}

// Since 13.0 Pillow goes down first where that leaves much less to do across; the rule was found by trying
// sizes, and every pair of sizes tried agrees (docs/preprocessing.md). The two orders round differently.
bool is_down_first(const Image& image, int64_t width, int64_t height) {
  return height < image.height && 2 * (image.width - width) < image.height - height;
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
  const Pixels in{image.rgb.data(), 3 * image.width, 0, 0};
  Buffer out;
  if (is_down_first(image, width, height)) {
    const auto [first, count] = inputs_of(across);
    const Buffer half = pass_down(in, first, count, down);
    out = pass_across({half.samples.data(), half.stride, first, 0}, 0, window.height, across);
  } else {
    const auto [first, count] = inputs_of(down);
    const Buffer half = pass_across(in, first, count, across);
    out = pass_down({half.samples.data(), half.stride, 0, first}, 0, window.width, down);
  }
  return {window.width, window.height, std::move(out.samples)};
}

Image resize(const Image& image, int64_t width, int64_t height, zoo::Interpolation interpolation) {
  return resize_window(image, width, height, {0, 0, width, height}, interpolation);
}

}  // namespace swinzoo::eval
