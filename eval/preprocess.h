// timm's eval transform, bit for bit: an image to the float32 planes that a model takes
// (docs/preprocessing.md).
//
// Sources: timm 1.0.31's data/transforms_factory.py (transforms_imagenet_eval) and data/transforms.py,
// torchvision 0.28's transforms/functional.py (resize, center_crop, to_tensor, normalize). All functions are
// safe to call from several threads at once; a Preprocessor is one thread's.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "eval/image.h"
#include "eval/resample.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// Makes model inputs of images, one by one, straight into a batch's memory, and keeps its own from one to the
// next: decoded pixels, and those that are resized. Not thread-safe: one for each thread.
class Preprocessor {
 public:
  // Throws kCorrupt if crop_pct, image_size or a std makes no sense.
  Preprocessor(const zoo::Preprocessing& preprocessing, int64_t image_size);

  // The pixels of resize_and_crop() as 3 x image_size x image_size floats, RGB planes: x / 255, less mean,
  // divided by std, each step rounded to float32 as torch does. Throws kUnsupported if the image can't be
  // resized so. REQUIRES: out.size() == 3 * image_size * image_size.
  void operator()(const Image& image, std::span<float> out);

  // The same of an image file's bytes, or of a file; throw as decode_image() and read_image() too.
  void decode(std::span<const std::byte> bytes, const std::string& name, std::span<float> out);
  void read(const std::filesystem::path& path, std::span<float> out);

 private:
  zoo::Preprocessing preprocessing_;
  int64_t image_size_;
  std::array<std::array<float, 256>, 3> floats_;  // of each sample of R, G and B
  Image image_;
  Resampler resampler_;
};

// The image_size x image_size pixels of the transform's last step before floats. Throws kCorrupt if crop_pct,
// image_size or a std makes no sense, kUnsupported if the image can't be resized so.
Image resize_and_crop(const Image& image, const zoo::Preprocessing& preprocessing, int64_t image_size);

// Back: the pixels that a Preprocessor made `x` from, exactly. REQUIRES: x.size() == 3 * image_size *
// image_size.
Image pixels_of(std::span<const float> x, const zoo::Preprocessing& preprocessing, int64_t image_size);

// One line that says what is done to an image, decoders and their versions included, and ends in "#" and 12
// hex digits of its SHA-256. Equal lines mean equal pixels.
std::string preprocessing_fingerprint(const zoo::Preprocessing& preprocessing, int64_t image_size);

}  // namespace swinzoo::eval
