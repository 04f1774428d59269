#include "eval/picture.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

constexpr size_t kSide = 8;

// Patterns of 8 x 8 that are 1 and -1, each half of the time and whatever the others are.
float stripes(size_t pattern, size_t token) { return (token >> pattern) & 1 ? 1.0f : -1.0f; }

// The patterns, each along a direction of its own and weaker than the one before.
std::vector<float> features_of(size_t patterns, size_t channels) {
  std::vector<float> features(kSide * kSide * channels, 3.0f);
  for (size_t token = 0; token < kSide * kSide; ++token) {
    for (size_t p = 0; p < patterns; ++p) {
      const float strength = 4.0f / static_cast<float>(p + 1);
      for (size_t c = 0; c < 2; ++c) features[token * channels + 2 * p + c] += strength * stripes(p, token);
    }
  }
  return features;
}

Image gray_image(int64_t width, int64_t height) {
  return {width, height, std::vector<uint8_t>(static_cast<size_t>(3 * width * height), 128)};
}

}  // namespace

TEST_CASE("principal components of three independent patterns are these patterns") {
  for (const size_t channels : {6u, 100u}) {  // fewer and more than tokens
    const Image image =
        principal_components(features_of(3, channels), kSide, kSide, static_cast<int64_t>(channels));
    CHECK(image.width == kSide);
    CHECK(image.height == kSide);
    for (size_t token = 0; token < kSide * kSide; ++token) {
      for (size_t c = 0; c < 3; ++c) CHECK(image.rgb[3 * token + c] == (stripes(c, token) > 0 ? 255 : 0));
    }
  }
}

TEST_CASE("components that features do not have are half bright") {
  const Image two = principal_components(features_of(2, 100), kSide, kSide, 100);
  const Image none = principal_components(features_of(0, 6), kSide, kSide, 6);
  for (size_t token = 0; token < kSide * kSide; ++token) {
    CHECK(two.rgb[3 * token] == (stripes(0, token) > 0 ? 255 : 0));
    CHECK(two.rgb[3 * token + 2] == 127);
    CHECK(none.rgb[3 * token] == 127);
  }
  CHECK(principal_components(std::vector<float>(5, 2.0f), 1, 1, 5).rgb == std::vector<uint8_t>(3, 127));
}

TEST_CASE("what is not finite is not drawn") {
  std::vector<float> features = features_of(3, 6);
  features[7] = std::numeric_limits<float>::quiet_NaN();
  CHECK(code_of([&] { principal_components(features, kSide, kSide, 6); }) == ErrorCode::kFailed);
  const TokenMap map{1, 2, 1, {0.0f, std::numeric_limits<float>::infinity()}};
  CHECK(code_of([&] { heat_over(gray_image(8, 4), map, 4); }) == ErrorCode::kFailed);
}

TEST_CASE("heat lies over the patches of its token also where tokens reach beyond the image") {
  // 5 x 5 patches of 8 pixels, two a token: the third row and column of tokens are half outside.
  for (size_t hot = 0; hot < 9; ++hot) {
    TokenMap map{3, 3, 2, std::vector<float>(9, 0.0f)};
    map.values[hot] = 1;
    const Image picture = heat_over(gray_image(40, 40), map, 8);
    CHECK(picture.width == 40);
    CHECK(picture.height == 40);
    size_t rows = 0, columns = 0, count = 0;
    for (size_t i = 0; i < 1600; ++i) {
      if (picture.rgb[3 * i] <= picture.rgb[3 * i + 2] + 20) continue;  // red, not blue
      rows += i / 40;
      columns += i % 40;
      ++count;
    }
    REQUIRE(count > 0);
    CHECK(rows / count / 16 == hot / 3);
    CHECK(columns / count / 16 == hot % 3);
  }
}

TEST_CASE("even heat is even") {
  const Image picture = heat_over(gray_image(8, 8), {2, 2, 1, std::vector<float>(4, 0.25f)}, 4);
  for (size_t i = 3; i < picture.rgb.size(); ++i) CHECK(picture.rgb[i] == picture.rgb[i - 3]);
}

TEST_CASE("an image is enlarged by whole times and stands beside another") {
  const Image large = enlarged(gray_image(10, 20), 25);
  CHECK(large.width == 30);
  CHECK(large.height == 60);
  CHECK(enlarged(gray_image(10, 20), 5).width == 10);
  const Image both = side_by_side(gray_image(2, 3), {1, 3, {1, 2, 3, 4, 5, 6, 7, 8, 9}});
  REQUIRE(both.rgb.size() == static_cast<size_t>(3 * both.width * 3));
  const auto pixel = [&](int64_t x, int64_t y) {
    return both.rgb[static_cast<size_t>(3 * (both.width * y + x))];
  };
  CHECK(pixel(1, 2) == 128);
  CHECK(pixel(2, 2) == 255);
  CHECK(pixel(both.width - 1, 1) == 4);
}

TEST_CASE("a picture is written as it is") {
  const TemporaryFolder folder;
  const Image image = principal_components(features_of(3, 6), kSide, kSide, 6);
  write_png(folder.path() / "a.png", image);
  const Image again = read_image(folder.path() / "a.png");
  CHECK(again.width == image.width);
  CHECK(again.rgb == image.rgb);
}
