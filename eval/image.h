// Images as 8-bit RGB, exactly as Pillow's Image.open(f).convert("RGB") gives them (docs/preprocessing.md).
//
// Formats are probed by content, never by name. All functions are safe to call from several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace swinzoo::eval {

struct Image {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<uint8_t> rgb;  // height x width x 3
};

// Decodes a JPEG, PNG or WebP; `name` is what messages start with. Throws kCorrupt if the bytes are no image,
// are damaged or truncated, or claim more pixels than Pillow accepts; kUnsupported for a JPEG of components
// that Pillow does not know either.
Image decode_image(std::span<const std::byte> bytes, const std::string& name);

// The same into `image`, whose memory is used again; after an error it holds anything.
void decode_image(std::span<const std::byte> bytes, const std::string& name, Image& image);

// Decodes a file. Throws kNotFound too.
Image read_image(const std::filesystem::path& path);

// The decoders and their versions: "libjpeg-turbo 2.1.5, libpng 1.6.39, libwebp 1.2.4".
std::string decoder_versions();

}  // namespace swinzoo::eval
