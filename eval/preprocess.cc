#include "eval/preprocess.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "formats/error.h"
#include "formats/mapped_file.h"
#include "formats/sha256.h"

namespace swinzoo::eval {

namespace {

// Python's round(): halves to the even neighbour.
int64_t python_round(double value) { return static_cast<int64_t>(std::nearbyint(value)); }

// The side that images are resized to before the crop.
int64_t scale_size(const zoo::Preprocessing& preprocessing, int64_t image_size) {
  const double side = std::floor(static_cast<double>(image_size) / preprocessing.crop_pct);
  if (image_size < 1 || !(preprocessing.crop_pct > 0) || !(side >= 1 && side < 1e6)) {
    fail(ErrorCode::kCorrupt, "no preprocessing to {} pixels with crop_pct {}", image_size,
         preprocessing.crop_pct);
  }
  for (const double std : preprocessing.std) {
    if (!(static_cast<float>(std) > 0)) fail(ErrorCode::kCorrupt, "a std of {} in the preprocessing", std);
  }
  return static_cast<int64_t>(side);
}

struct Size {
  int64_t width;
  int64_t height;
};

Size resized_size(const Image& image, zoo::CropMode mode, int64_t side) {
  const auto [width, height] = std::pair(static_cast<double>(image.width), static_cast<double>(image.height));
  const auto target = static_cast<double>(side);
  switch (mode) {
    case zoo::CropMode::kCenter: {  // torchvision's _compute_resized_output_size: the shorter side
      const auto longer = static_cast<int64_t>(target * std::max(width, height) / std::min(width, height));
      return image.width <= image.height ? Size{side, longer} : Size{longer, side};
    }
    case zoo::CropMode::kSquash:
      return {side, side};
    case zoo::CropMode::kBorder: {  // timm's ResizeKeepRatio(longest=1.0): the longer side
      const double ratio = std::max(height / target, width / target);
      return {python_round(width / ratio), python_round(height / ratio)};
    }
  }
  fail(ErrorCode::kUnsupported, "crop mode {} is not known", static_cast<int>(mode));
}

// One axis of torchvision's center_crop: what is taken of the resized image, and where it lies in the result.
struct Span {
  int64_t from;
  int64_t extent;
  int64_t to;
};

Span center(int64_t resized, int64_t image_size) {
  if (resized < image_size) return {0, resized, (image_size - resized) / 2};
  return {python_round(static_cast<double>(resized - image_size) / 2.0), image_size, 0};
}

// What lies around an image that is smaller than the crop: black, or the mean in border mode.
std::array<uint8_t, 3> fill_of(const zoo::Preprocessing& preprocessing) {
  std::array<uint8_t, 3> fill = {0, 0, 0};
  if (preprocessing.crop_mode != zoo::CropMode::kBorder) return fill;
  for (size_t c = 0; c < 3; ++c) {
    fill[c] = static_cast<uint8_t>(std::clamp<int64_t>(python_round(255 * preprocessing.mean[c]), 0, 255));
  }
  return fill;
}

// The float of each 8-bit sample of a channel.
std::array<float, 256> normalized(double mean, double std) {
  std::array<float, 256> table;
  for (int i = 0; i < 256; ++i) {
    const float scaled = static_cast<float>(i) / 255.0f;
    const float centered = scaled - static_cast<float>(mean);
    table[static_cast<size_t>(i)] = centered / static_cast<float>(std);
  }
  return table;
}

// What of the crop is resized pixels, and where in it they lie.
struct Part {
  PixelView pixels;
  int64_t left;
  int64_t top;
};

Part part_of(const Image& image, const zoo::Preprocessing& preprocessing, int64_t image_size,
             Resampler& resampler) {
  const Size size = resized_size(image, preprocessing.crop_mode, scale_size(preprocessing, image_size));
  const Span x = center(size.width, image_size);
  const Span y = center(size.height, image_size);
  return {resampler.resize(image, size.width, size.height, {x.from, y.from, x.extent, y.extent},
                           preprocessing.interpolation),
          x.to, y.to};
}

}  // namespace

Image resize_and_crop(const Image& image, const zoo::Preprocessing& preprocessing, int64_t image_size) {
  Resampler resampler;
  const Part part = part_of(image, preprocessing, image_size, resampler);
  Image result{image_size, image_size,
               std::vector<uint8_t>(static_cast<size_t>(3 * image_size * image_size))};
  const std::array<uint8_t, 3> fill = fill_of(preprocessing);
  for (size_t i = 0; i < result.rgb.size(); ++i) result.rgb[i] = fill[i % 3];
  for (int64_t y = 0; y < part.pixels.height; ++y) {
    std::copy_n(part.pixels.data + y * part.pixels.stride, 3 * part.pixels.width,
                result.rgb.data() + 3 * (image_size * (part.top + y) + part.left));
  }
  return result;
}

Preprocessor::Preprocessor(const zoo::Preprocessing& preprocessing, int64_t image_size)
    : preprocessing_(preprocessing), image_size_(image_size) {
  scale_size(preprocessing, image_size);
  for (size_t c = 0; c < 3; ++c) floats_[c] = normalized(preprocessing.mean[c], preprocessing.std[c]);
}

void Preprocessor::operator()(const Image& image, std::span<float> out) {
  const int64_t plane = image_size_ * image_size_;
  assert(out.size() == static_cast<size_t>(3 * plane));
  const Part part = part_of(image, preprocessing_, image_size_, resampler_);
  if (part.pixels.width < image_size_ || part.pixels.height < image_size_) {
    const std::array<uint8_t, 3> fill = fill_of(preprocessing_);
    for (size_t c = 0; c < 3; ++c) {
      std::ranges::fill(out.subspan(c * static_cast<size_t>(plane), static_cast<size_t>(plane)),
                        floats_[c][fill[c]]);
    }
  }
  for (int64_t y = 0; y < part.pixels.height; ++y) {
    const uint8_t* pixel = part.pixels.data + y * part.pixels.stride;
    float* red = out.data() + image_size_ * (part.top + y) + part.left;
    float* green = red + plane;
    float* blue = green + plane;
    for (int64_t x = 0; x < part.pixels.width; ++x, pixel += 3) {
      red[x] = floats_[0][pixel[0]];
      green[x] = floats_[1][pixel[1]];
      blue[x] = floats_[2][pixel[2]];
    }
  }
}

void Preprocessor::decode(std::span<const std::byte> bytes, const std::string& name, std::span<float> out) {
  decode_image(bytes, name, image_);
  (*this)(image_, out);
}

void Preprocessor::read(const std::filesystem::path& path, std::span<float> out) {
  const MappedFile file(path);
  decode(file.bytes(), path.string(), out);
}

Image pixels_of(std::span<const float> x, const zoo::Preprocessing& preprocessing, int64_t image_size) {
  const auto plane = static_cast<size_t>(image_size * image_size);
  assert(x.size() == 3 * plane);
  Image image{image_size, image_size, std::vector<uint8_t>(3 * plane)};
  for (size_t i = 0; i < 3 * plane; ++i) {
    const size_t c = i / plane;
    const double value = 255 * (x[i] * preprocessing.std[c] + preprocessing.mean[c]);
    image.rgb[3 * (i % plane) + c] = static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L));
  }
  return image;
}

std::string preprocessing_fingerprint(const zoo::Preprocessing& preprocessing, int64_t image_size) {
  const int64_t side = scale_size(preprocessing, image_size);
  std::string resized;
  switch (preprocessing.crop_mode) {
    case zoo::CropMode::kCenter:
      resized =
          fmt::format("shorter side to {} (longer truncated), center crop {} (half to even, black around)",
                      side, image_size);
      break;
    case zoo::CropMode::kSquash:
      resized =
          fmt::format("squash to {0}x{0}, center crop {1} (half to even, black around)", side, image_size);
      break;
    case zoo::CropMode::kBorder:
      resized = fmt::format("longer side to {} (half to even), center crop {} (half to even, mean around)",
                            side, image_size);
      break;
  }
  const bool is_bicubic = preprocessing.interpolation == zoo::Interpolation::kBicubic;
  const std::string line = fmt::format("{}, RGB; Pillow 13.0 {} 8-bit; {}; mean {}; std {}",
                                       decoder_versions(), is_bicubic ? "bicubic" : "bilinear", resized,
                                       fmt::join(preprocessing.mean, " "), fmt::join(preprocessing.std, " "));
  const std::string digest = sha256_hex(std::as_bytes(std::span(line)));
  return fmt::format("{} #{}", line, digest.substr(0, 12));
}

}  // namespace swinzoo::eval
