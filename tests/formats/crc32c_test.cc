#include "formats/crc32c.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

using namespace swinzoo;

namespace {

uint32_t crc_of(const std::string& bytes) { return crc32c(std::as_bytes(std::span(bytes))); }

std::string counted(int from, int step) {
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes += static_cast<char>(from + i * step);
  return bytes;
}

}  // namespace

TEST_CASE("CRC32C of RFC 3720's examples") {
  CHECK(crc_of("") == 0);
  CHECK(crc_of("123456789") == 0xe3069283u);
  CHECK(crc_of(std::string(32, '\0')) == 0x8a9136aau);
  CHECK(crc_of(std::string(32, '\xff')) == 0x62a8ab43u);
  CHECK(crc_of(counted(0, 1)) == 0x46dd794eu);
  CHECK(crc_of(counted(31, -1)) == 0x113fdb5cu);
}

TEST_CASE("a masked CRC32C is LevelDB's") {
  // Of TensorFlow's empty tensors.
  CHECK(mask_crc32c(0) == 0xa282ead8u);
  CHECK(mask_crc32c(0xe3069283u) == ((0xe3069283u >> 15 | 0xe3069283u << 17) + 0xa282ead8u));
}

TEST_CASE("CRC32C by instructions and by tables agree at every length, alignment and split") {
  std::mt19937 random(4);
  std::string text(300, '\0');
  for (char& c : text) c = static_cast<char>(random());
  const auto bytes = std::as_bytes(std::span(text));
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t length = 0; length <= 260; ++length) {
      const auto part = bytes.subspan(begin, length);
      const uint32_t whole = extend_crc32c_by_tables(0, part);
      REQUIRE(crc32c(part) == whole);
      const size_t split = random() % (length + 1);
      REQUIRE(extend_crc32c(crc32c(part.first(split)), part.subspan(split)) == whole);
      REQUIRE(extend_crc32c_by_tables(extend_crc32c_by_tables(0, part.first(split)), part.subspan(split)) ==
              whole);
    }
  }
}
