// What image.cc's table is made of: one decoder a format. Errors are as decode_image's.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "eval/image.h"

namespace swinzoo::eval {

// Makes room for an image of that size, whose pixels are anything. Throws kCorrupt, before it allocates, if a
// side is 0 or there are more than twice Pillow's Image.MAX_IMAGE_PIXELS: where Pillow raises
// DecompressionBombError.
void allocate_image(int64_t width, int64_t height, const std::string& name, Image& image);

void decode_jpeg(std::span<const std::byte> bytes, const std::string& name, Image& image);
std::string jpeg_version();

void decode_png(std::span<const std::byte> bytes, const std::string& name, Image& image);
std::string png_version();

void decode_webp(std::span<const std::byte> bytes, const std::string& name, Image& image);
std::string webp_version();

}  // namespace swinzoo::eval
