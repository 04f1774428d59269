// What image.cc's table is made of: one decoder a format. Errors are as decode_image's.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "eval/image.h"

namespace swinzoo::eval {

// An image of that size with its pixels allocated. Throws kCorrupt, before it allocates, if a side is 0 or
// there are more than twice Pillow's Image.MAX_IMAGE_PIXELS: where Pillow raises DecompressionBombError.
Image allocate_image(int64_t width, int64_t height, const std::string& name);

Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name);
std::string jpeg_version();

Image decode_png(std::span<const std::byte> bytes, const std::string& name);
std::string png_version();

}  // namespace swinzoo::eval
