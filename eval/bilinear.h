// OpenCV's cv2.resize of 8-bit RGB with INTER_LINEAR, byte for byte (modules/imgproc/src/resize.cpp): no
// antialiasing, weights in fixed point of 11 bits, rows first, and a sum of two rows that drops bits before
// it rounds. Checked with opencv-python 5.0.0.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "eval/image.h"
#include "eval/resample.h"

namespace swinzoo::eval {

// Resizes images one by one, and keeps its memory from one to the next. Not thread-safe: one for each thread.
class BilinearResizer {
 public:
  // Writes the image resized to width x height and cropped to `window`, which lies inside of that, as
  // window.height x window.width x 3. REQUIRES: all sides are positive, out has that size.
  void resize(const Image& image, int64_t width, int64_t height, const Window& window,
              std::span<uint8_t> out);

 private:
  // Where a sample of the result comes from: two neighbours, and their weights, which add up to 2048.
  struct Tap {
    int64_t first, second;
    int32_t first_weight, second_weight;
  };
  // A row of the image, resized across.
  struct Row {
    int64_t y = -1;
    std::vector<int32_t> samples;
  };

  static Tap tap_at(int64_t place, int64_t from, int64_t to);
  const std::vector<int32_t>& row_at(const Image& image, int64_t y, int64_t other);

  std::vector<Tap> across_;
  Row rows_[2];
};

}  // namespace swinzoo::eval
