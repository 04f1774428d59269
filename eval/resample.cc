#include "eval/resample.h"

#include <algorithm>

#include "formats/error.h"

namespace swinzoo::eval {

namespace {

// Since 13.0 Pillow goes down first where that leaves much less to do across; the rule was found by trying
// sizes, and every pair of sizes tried agrees (docs/preprocessing.md). The two orders round differently.
bool is_down_first(const Image& image, int64_t width, int64_t height) {
  return height < image.height && 2 * (image.width - width) < image.height - height;
}

}  // namespace

Resampler::Resampler(backends::Isa isa) : kernels_(resample_kernels(isa)) {}

void Resampler::Rows::make(int64_t rows, int64_t row_samples) {
  stride = row_samples + kReach;
  samples.resize(static_cast<size_t>(rows * stride));
}

PixelView Resampler::resize(const Image& image, int64_t width, int64_t height, const Window& window,
                            zoo::Interpolation interpolation) {
  if (width < 1 || height < 1) {
    fail(ErrorCode::kUnsupported, "an image of {} x {} pixels cannot be resized to {} x {}", image.width,
         image.height, width, height);
  }
  make_axis(image.width, width, window.left, window.width, interpolation, across_);
  make_axis(image.height, height, window.top, window.height, interpolation, down_);
  const int64_t left = across_.first(), columns = across_.count();
  const int64_t top = down_.first(), rows = down_.count();
  across_.move_origin(left);
  down_.move_origin(top);
  const int64_t stride = 3 * image.width;
  const uint8_t* in = image.rgb.data() + top * stride + 3 * left;
  const ResampleKernels& portable = resample_kernels(backends::Isa::kBaseline);
  const auto down = [&](const uint8_t* from, int64_t from_stride, int64_t samples, Rows& to) {
    to.make(window.height, samples);
    const ResampleKernels& kernels = samples >= kLeastSamples ? kernels_ : portable;
    kernels.down(from, from_stride, samples, down_.view(), to.samples.data(), to.stride);
  };

  if (is_down_first(image, width, height)) {
    down(in, stride, 3 * columns, half_);
    result_.make(window.height, 3 * window.width);
    kernels_.across(half_.samples.data(), half_.stride, window.height, across_.view(), result_.samples.data(),
                    result_.stride);
  } else {
    half_.make(rows, 3 * window.width);
    // Nothing lies behind the image's last row, where only the portable kernels can do without.
    const int64_t spare = stride * image.height - 3 * (left + columns) - kReach;
    const int64_t with_room = spare < 0 ? 0 : std::clamp<int64_t>(spare / stride - top + 1, 0, rows);
    kernels_.across(in, stride, with_room, across_.view(), half_.samples.data(), half_.stride);
    portable.across(in + with_room * stride, stride, rows - with_room, across_.view(),
                    half_.samples.data() + with_room * half_.stride, half_.stride);
    down(half_.samples.data(), half_.stride, 3 * window.width, result_);
  }
  return {result_.samples.data(), window.width, window.height, result_.stride};
}

Image resize_window(const Image& image, int64_t width, int64_t height, const Window& window,
                    zoo::Interpolation interpolation) {
  Resampler resampler;
  const PixelView pixels = resampler.resize(image, width, height, window, interpolation);
  Image result{window.width, window.height, {}};
  result.rgb.reserve(static_cast<size_t>(3 * window.width * window.height));
  for (int64_t y = 0; y < window.height; ++y) {
    const uint8_t* row = pixels.data + y * pixels.stride;
    result.rgb.insert(result.rgb.end(), row, row + 3 * window.width);
  }
  return result;
}

Image resize(const Image& image, int64_t width, int64_t height, zoo::Interpolation interpolation) {
  return resize_window(image, width, height, {0, 0, width, height}, interpolation);
}

}  // namespace swinzoo::eval
