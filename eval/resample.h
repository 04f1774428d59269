// Pillow 13.0's Image.resize for 8-bit RGB, byte for byte (src/libImaging/Resample.c): antialiased, weights
// in fixed point of 22 bits, one axis, then the other over the rounded 8-bit result.
//
// All functions are safe to call from several threads at once.
#pragma once

#include <cstdint>

#include "eval/image.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// A rectangle of pixels.
struct Window {
  int64_t left = 0;
  int64_t top = 0;
  int64_t width = 0;
  int64_t height = 0;
};

// The image resized to width x height. Throws kUnsupported if a side is below 1, or the sizes are so far
// apart that Pillow refuses them too.
Image resize(const Image& image, int64_t width, int64_t height, zoo::Interpolation interpolation);

// The same pixels as resize(...) cropped to `window`, which lies inside width x height; no others are worked
// out.
Image resize_window(const Image& image, int64_t width, int64_t height, const Window& window,
                    zoo::Interpolation interpolation);

}  // namespace swinzoo::eval
