// JPEG, PNG and WebP of at most 2^20 pixels: larger ones, up to Pillow's limit, only take longer.
#include "eval/image.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/input.h"

namespace swinzoo::fuzz {
namespace {

bool is_small(uint64_t width, uint64_t height) { return width * height <= 1 << 20; }

// Whether every header that claims a size claims a small one.
bool is_small(Bytes image) {
  const auto number = [&](size_t at, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes && at + i < image.size(); ++i) {
      value = value << 8 | std::to_integer<uint64_t>(image[at + i]);
    }
    return value;
  };
  const auto little_endian = [&](size_t at, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;) value = value << 8 | number(at + i, 1);
    return value;
  };
  constexpr uint64_t kPng = 0x89504e47, kRiff = 0x52494646;
  constexpr uint64_t kLossy = 0x56503820, kLossless = 0x5650384c,
                     kExtended = 0x56503858;  // "VP8 ", "VP8L", "VP8X"
  if (number(0, 4) == kPng) return is_small(number(16, 4), number(20, 4));
  for (size_t at = 0; number(0, 4) == kRiff && at < image.size(); ++at) {
    const uint64_t sizes = little_endian(at + 9, 4);  // of kLossless: 14 bits each, less 1
    switch (number(at, 4)) {
      case kLossy:
        if (!is_small(little_endian(at + 14, 2) & 0x3fff, little_endian(at + 16, 2) & 0x3fff)) return false;
        break;
      case kLossless:
        if (!is_small((sizes & 0x3fff) + 1, (sizes >> 14 & 0x3fff) + 1)) return false;
        break;
      case kExtended:
        if (!is_small(little_endian(at + 12, 3) + 1, little_endian(at + 15, 3) + 1)) return false;
        break;
    }
  }
  for (size_t at = 0; at < image.size(); ++at) {  // JPEG: marker ff c0 to ff cf, length, depth, height, width
    if (number(at, 2) >> 4 == 0xffc && !is_small(number(at + 7, 2), number(at + 5, 2))) return false;
  }
  return true;
}

}  // namespace
}  // namespace swinzoo::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const auto bytes = fuzz::mended(fuzz::bytes_of(data, size), &fuzz::mend_png);
  if (!fuzz::is_small(bytes)) return 0;
  fuzz::read_or_refuse([&] {
    const eval::Image image = eval::decode_image(bytes, "fuzz");
    fuzz::require(image.rgb.size() == static_cast<size_t>(image.width * image.height * 3), "a whole image");
  });
  return 0;
}
