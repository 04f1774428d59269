#include "eval/bilinear.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace swinzoo::eval {
namespace {

constexpr float kOne = 2048;  // INTER_RESIZE_COEF_SCALE

// saturate_cast<short>: halves to the even neighbour.
int32_t weight_of(float share) { return static_cast<int32_t>(std::lrint(share * kOne)); }

}  // namespace

// Neighbours are clamped to the image. Across, OpenCV gives all the weight to one of them there; down it does
// not, which differs in the last bit.
BilinearResizer::Tap BilinearResizer::tap_at(int64_t place, int64_t from, int64_t to) {
  const double scale = 1.0 / (static_cast<double>(to) / static_cast<double>(from));
  const auto at = static_cast<float>((static_cast<double>(place) + 0.5) * scale - 0.5);
  const float floor = std::floor(at);
  const auto first = static_cast<int64_t>(floor);
  const float share = at - floor;
  return {std::clamp<int64_t>(first, 0, from - 1), std::clamp<int64_t>(first + 1, 0, from - 1),
          weight_of(1.0f - share), weight_of(share)};
}

const std::vector<int32_t>& BilinearResizer::row_at(const Image& image, int64_t y, int64_t other) {
  if (rows_[0].y == y) return rows_[0].samples;
  if (rows_[1].y == y) return rows_[1].samples;
  Row& row = rows_[0].y == other ? rows_[1] : rows_[0];
  row.y = y;
  row.samples.resize(3 * across_.size());
  const uint8_t* pixels = image.rgb.data() + 3 * image.width * y;
  int32_t* sample = row.samples.data();
  for (const Tap& tap : across_) {
    const uint8_t* first = pixels + 3 * tap.first;
    const uint8_t* second = pixels + 3 * tap.second;
    for (int c = 0; c < 3; ++c) *sample++ = first[c] * tap.first_weight + second[c] * tap.second_weight;
  }
  return row.samples;
}

void BilinearResizer::resize(const Image& image, int64_t width, int64_t height, const Window& window,
                             std::span<uint8_t> out) {
  assert(image.width > 0 && image.height > 0);
  assert(window.left >= 0 && window.left + window.width <= width);
  assert(window.top >= 0 && window.top + window.height <= height);
  assert(out.size() == static_cast<size_t>(3 * window.width * window.height));
  across_.clear();
  for (int64_t x = 0; x < window.width; ++x) across_.push_back(tap_at(window.left + x, image.width, width));
  for (Row& row : rows_) row.y = -1;
  uint8_t* to = out.data();
  for (int64_t y = 0; y < window.height; ++y) {
    const Tap tap = tap_at(window.top + y, image.height, height);
    const int32_t* first = row_at(image, tap.first, tap.second).data();
    const int32_t* second = row_at(image, tap.second, tap.first).data();
    for (int64_t i = 0; i < 3 * window.width; ++i) {
      const int32_t sum =
          ((tap.first_weight * (first[i] >> 4)) >> 16) + ((tap.second_weight * (second[i] >> 4)) >> 16);
      *to++ = static_cast<uint8_t>((sum + 2) >> 2);
    }
  }
}

}  // namespace swinzoo::eval
