#include "eval/image.h"

#include <array>
#include <string_view>

#include "eval/image_format.h"
#include "formats/error.h"
#include "formats/mapped_file.h"

namespace swinzoo::eval {

namespace {

// PIL/Image.py: MAX_IMAGE_PIXELS = 1024 * 1024 * 1024 // 4 // 3; an error above twice that.
constexpr int64_t kMaxPixels = 2 * 89478485;

using namespace std::string_view_literals;

struct Format {
  std::string_view magic;  // the file's first bytes ...
  std::string_view form;   // ... and those from byte 8 on, where the first do not decide
  decltype(&decode_jpeg) decode;
};

constexpr std::array kFormats = {
    Format{"\xff\xd8\xff"sv, ""sv, &decode_jpeg}, Format{"\x89PNG\r\n\x1a\n"sv, ""sv, &decode_png},
    Format{"RIFF"sv, "WEBPVP8 "sv, &decode_webp}, Format{"RIFF"sv, "WEBPVP8L"sv, &decode_webp},
    Format{"RIFF"sv, "WEBPVP8X"sv, &decode_webp},
};

}  // namespace

void allocate_image(int64_t width, int64_t height, const std::string& name, Image& image) {
  if (width < 1 || height < 1)
    fail(ErrorCode::kCorrupt, "{}: the image is {} x {} pixels", name, width, height);
  if (width > kMaxPixels / height) {
    fail(ErrorCode::kCorrupt, "{}: the image claims {} x {} pixels, more than the limit of {}", name, width,
         height, kMaxPixels);
  }
  image.width = width;
  image.height = height;
  image.rgb.resize(static_cast<size_t>(width * height * 3));
}

void decode_image(std::span<const std::byte> bytes, const std::string& name, Image& image) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.empty()) fail(ErrorCode::kCorrupt, "{}: the file is empty", name);
  for (const Format& format : kFormats) {
    if (!text.starts_with(format.magic)) continue;
    if (!format.form.empty() && (text.size() < 8 || !text.substr(8).starts_with(format.form))) continue;
    return format.decode(bytes, name, image);
  }
  fail(ErrorCode::kCorrupt, "{}: not an image: its first bytes are no JPEG's, no PNG's and no WebP's", name);
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name) {
  Image image;
  decode_image(bytes, name, image);
  return image;
}

Image read_image(const std::filesystem::path& path) {
  const MappedFile file(path);
  return decode_image(file.bytes(), path.string());
}

std::string decoder_versions() { return jpeg_version() + ", " + png_version() + ", " + webp_version(); }

}  // namespace swinzoo::eval
