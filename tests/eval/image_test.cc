// Bad image files, by name. What good ones decode to is preprocess_test.cc's.
#include "eval/image.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <set>

#include "formats/error.h"
#include "formats/json.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace fs = std::filesystem;

namespace {

const fs::path kCases = fs::path(SWINZOO_TEST_DATA) / "preprocess";

std::string read_case(const std::string& name) {
  std::ifstream in(kCases / "images" / name, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

Image decode(std::string_view bytes) {
  return decode_image(std::as_bytes(std::span(bytes.data(), bytes.size())), "x.jpg");
}

// The message of a decode that must fail with `code`, naming the file.
std::string failure(std::string_view bytes, ErrorCode code) {
  try {
    decode(bytes);
  } catch (const Error& error) {
    CHECK(error.code() == code);
    CHECK(std::string(error.what()).starts_with("x.jpg: "));
    return error.what();
  }
  FAIL("decoded");
  return "";
}

bool decodes(std::string_view bytes) {
  try {
    decode(bytes);
    return true;
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kCorrupt);
    return false;
  }
}

using Catch::Matchers::Contains;

}  // namespace

TEST_CASE("files that are no images are refused by name") {
  CHECK_THAT(failure("", ErrorCode::kCorrupt), Contains("empty"));
  CHECK_THAT(failure("a text file named .jpg\n", ErrorCode::kCorrupt), Contains("not an image"));
  CHECK_THAT(failure("\xff", ErrorCode::kCorrupt), Contains("not an image"));
  CHECK_THAT(failure("RIFF1234WEBPVP8 ", ErrorCode::kCorrupt), Contains("truncated WebP"));
  CHECK_THAT(failure("RIFF1234WEBPJUNK", ErrorCode::kCorrupt), Contains("not an image"));
  CHECK_THAT(failure("RIFF1234WAVE", ErrorCode::kCorrupt), Contains("not an image"));
  CHECK_THAT(failure("RIFF", ErrorCode::kCorrupt), Contains("not an image"));
  try {
    read_image(kCases / "images" / "missing.jpg");
    FAIL("read");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kNotFound);
  }
  CHECK_THROWS_AS(read_image(kCases), Error);
}

TEST_CASE("a JPEG or WebP cut at any length fails where it fails in Pillow") {
  const json::value expected = read_json(kCases / "expected.json");
  for (const auto& [name, lengths] : expected.as_object().at("truncation").as_object()) {
    std::set<size_t> good;
    for (const json::value& length : lengths.as_array()) good.insert(static_cast<size_t>(length.as_int64()));
    const std::string whole = read_case(name);
    std::set<size_t> decoded;
    for (size_t length = 0; length < whole.size(); ++length) {
      if (decodes(std::string_view(whole).substr(0, length))) decoded.insert(length);
    }
    INFO(std::string(name));
    CHECK(decoded == good);
  }
  const std::string whole = read_case("smaller_than_crop.jpg");
  CHECK_THAT(failure(std::string_view(whole).substr(0, whole.size() / 2), ErrorCode::kCorrupt),
             Contains("truncated JPEG") && Contains("of 45 rows"));
  CHECK_THAT(failure(std::string_view(whole).substr(0, 100), ErrorCode::kCorrupt), Contains("in the header"));
  const std::string webp = read_case("lossless_palette.webp");
  CHECK_THAT(failure(std::string_view(webp).substr(0, webp.size() / 2), ErrorCode::kCorrupt),
             Contains(fmt::format("truncated WebP: it has {} of {} bytes", webp.size() / 2, webp.size())));
}

TEST_CASE("a PNG cut at any length is refused") {
  for (const char* name : {"palette4_interlaced.png", "gray2.png", "one_pixel.png"}) {
    const std::string whole = read_case(name);
    size_t refused = 0;
    for (size_t length = 0; length < whole.size(); ++length) {
      refused += !decodes(std::string_view(whole).substr(0, length));
    }
    INFO(name);
    CHECK(refused == whole.size());
    CHECK(decodes(whole));
  }
  const std::string whole = read_case("rgba.png");
  CHECK_THAT(failure(std::string_view(whole).substr(0, whole.size() / 2), ErrorCode::kCorrupt),
             Contains("damaged PNG") && Contains("truncated"));
}

TEST_CASE("a PNG with a wrong checksum is refused") {
  const std::string whole = read_case("palette2.png");
  for (const char* chunk : {"IHDR", "PLTE", "IDAT"}) {
    std::string damaged = whole;
    const size_t name = damaged.find(chunk);
    damaged[name + 4 + static_cast<uint8_t>(damaged[name - 1]) +
            256 * static_cast<uint8_t>(damaged[name - 2])] ^= 1;
    INFO(chunk);
    CHECK_THAT(failure(damaged, ErrorCode::kCorrupt), Contains("CRC"));
  }
}

TEST_CASE("damaged bytes anywhere in an image never crash") {
  for (const char* name : {"restart_progressive.jpg", "smaller_than_crop.jpg", "palette4_interlaced.png",
                           "one_pixel.jpg", "one_pixel.png", "gray2.png", "lossy_alpha.webp",
                           "lossless_palette.webp", "animated_within.webp", "one_pixel.webp"}) {
    const std::string whole = read_case(name);
    size_t refused = 0;
    for (size_t i = 0; i < whole.size(); i += whole.size() / 400 + 1) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        std::string damaged = whole;
        damaged[i] = static_cast<char>(damaged[i] ^ flip);
        try {
          decode(damaged);
        } catch (const Error&) {
          ++refused;
        }
      }
    }
    INFO(name);
    CHECK(refused > 0);
  }
}

TEST_CASE("claimed sizes beyond the limit are refused before anything is allocated") {
  std::string jpeg = read_case("smaller_than_crop.jpg");
  const size_t frame = jpeg.find("\xff\xc0") + 5;
  jpeg.replace(frame, 4, "\xff\x00\xff\x00", 4);
  CHECK_THAT(failure(jpeg, ErrorCode::kCorrupt), Contains("claims 65280 x 65280"));
  jpeg.replace(frame, 4, "\xff\xff\xff\xff", 4);
  CHECK_THAT(failure(jpeg, ErrorCode::kCorrupt), Contains("65500"));
  jpeg.replace(frame, 4, "\x00\x20\x00\x00", 4);
  CHECK_THAT(failure(jpeg, ErrorCode::kCorrupt), Contains("damaged JPEG"));

  // The header alone, its checksum right, claims 2^31-1 squared.
  std::string png(
      "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\0\0\0\x9b\xab\x9c\x31", 33);
  png += std::string("\0\0\0\0IDAT\x35\xaf\x06\x1e", 12);
  CHECK_THAT(failure(png, ErrorCode::kCorrupt), Contains("claims 2147483647 x 2147483647"));

  std::string canvas = read_case("animated_within.webp");
  canvas.replace(24, 6, "\xff\x3f\0\xff\x3f\0", 6);
  CHECK_THAT(failure(canvas, ErrorCode::kCorrupt), Contains("claims 16384 x 16384"));
  std::string lossless = read_case("lossless_palette.webp");
  lossless.replace(21, 3, "\xff\xff\xff", 3);
  lossless[24] = static_cast<char>(lossless[24] | 0x0f);
  CHECK_THAT(failure(lossless, ErrorCode::kCorrupt), Contains("claims 16384 x 16384"));
}

TEST_CASE("a JPEG of two components is unsupported") {
  std::string jpeg = read_case("smaller_than_crop.jpg");
  const size_t frame = jpeg.find("\xff\xc0");
  // Frame header: length 14, 2 components.
  jpeg = jpeg.substr(0, frame) +
         std::string("\xff\xc0\x00\x0e\x08\x00\x08\x00\x08\x02\x01\x11\x00\x02\x11\x00", 16) +
         jpeg.substr(jpeg.find("\xff\xc4"));
  const size_t scan = jpeg.find("\xff\xda");
  jpeg = jpeg.substr(0, scan) + std::string("\xff\xda\x00\x0a\x02\x01\x00\x02\x11\x00\x3f\x00", 12) +
         jpeg.substr(scan + 14);
  CHECK_THAT(failure(jpeg, ErrorCode::kUnsupported), Contains("2 components"));
}
