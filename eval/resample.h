// Pillow 13.0's Image.resize for 8-bit RGB, byte for byte (src/libImaging/Resample.c): antialiased, weights
// in fixed point of 22 bits, one axis, then the other over the rounded 8-bit result.
#pragma once

#include <cstdint>
#include <vector>

#include "eval/image.h"
#include "eval/resample_axis.h"
#include "eval/resample_kernels.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// A rectangle of pixels.
struct Window {
  int64_t left = 0;
  int64_t top = 0;
  int64_t width = 0;
  int64_t height = 0;
};

// RGB pixels in somebody else's memory.
struct PixelView {
  const uint8_t* data;
  int64_t width;
  int64_t height;
  int64_t stride;  // bytes from a row to the next
};

// Resizes images one by one, and keeps its memory from one to the next. Not thread-safe: one for each thread.
class Resampler {
 public:
  // `isa` has no influence on the pixels. REQUIRES: this CPU has it.
  explicit Resampler(backends::Isa isa = resample_isa());

  // The image resized to width x height and cropped to `window`, which lies inside of that; no other pixels
  // are worked out. The result stands until the next call. Throws kUnsupported if a side is below 1, or the
  // sizes are so far apart that Pillow refuses them too.
  PixelView resize(const Image& image, int64_t width, int64_t height, const Window& window,
                   zoo::Interpolation interpolation);

 private:
  // Rows of samples.
  struct Rows {
    std::vector<uint8_t> samples;
    int64_t stride = 0;

    // Room for that many, and for the kernels behind each.
    void make(int64_t rows, int64_t row_samples);
  };

  const ResampleKernels& kernels_;
  ResampleAxis across_, down_;
  Rows half_, result_;
};

// The image resized to width x height, or a window of that, as Resampler's. Both are safe to call from
// several threads at once.
Image resize(const Image& image, int64_t width, int64_t height, zoo::Interpolation interpolation);
Image resize_window(const Image& image, int64_t width, int64_t height, const Window& window,
                    zoo::Interpolation interpolation);

}  // namespace swinzoo::eval
