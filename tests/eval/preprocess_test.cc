// Every image of tests/data/preprocess under every recipe, byte for byte as Pillow and timm make it.
#include "eval/preprocess.h"

#include <catch2/catch.hpp>

#include "eval/resample.h"
#include "formats/error.h"
#include "formats/json.h"
#include "formats/sha256.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace fs = std::filesystem;

namespace {

const fs::path kCases = fs::path(SWINZOO_TEST_DATA) / "preprocess";

struct Recipe {
  std::string name;
  int64_t image_size = 0;
  zoo::Preprocessing preprocessing;
};

std::array<double, 3> three(const json::value& value) {
  const auto& numbers = value.as_array();
  return {numbers.at(0).as_double(), numbers.at(1).as_double(), numbers.at(2).as_double()};
}

std::vector<Recipe> read_recipes(const json::object& expected) {
  std::vector<Recipe> recipes;
  for (const auto& [name, value] : expected.at("recipes").as_object()) {
    const json::object& recipe = value.as_object();
    const std::string mode = as_string(recipe.at("crop_mode"), "crop_mode");
    const std::string interpolation = as_string(recipe.at("interpolation"), "interpolation");
    zoo::Preprocessing preprocessing;
    preprocessing.crop_pct = as_number(recipe.at("crop_pct"), "crop_pct");
    preprocessing.crop_mode = mode == "center"   ? zoo::CropMode::kCenter
                              : mode == "squash" ? zoo::CropMode::kSquash
                                                 : zoo::CropMode::kBorder;
    preprocessing.interpolation =
        interpolation == "bicubic" ? zoo::Interpolation::kBicubic : zoo::Interpolation::kBilinear;
    preprocessing.mean = three(recipe.at("mean"));
    preprocessing.std = three(recipe.at("std"));
    recipes.push_back({name, as_int(recipe.at("image_size"), "image_size"), preprocessing});
  }
  return recipes;
}

template <typename T>
std::string digest(const std::vector<T>& values) {
  return sha256_hex(std::as_bytes(std::span(values)));
}

std::vector<uint8_t> planes_of(const Image& image) {
  const size_t plane = image.rgb.size() / 3;
  std::vector<uint8_t> planes(image.rgb.size());
  for (size_t i = 0; i < image.rgb.size(); ++i) planes[(i % 3) * plane + i / 3] = image.rgb[i];
  return planes;
}

Image ramp(int64_t width, int64_t height) {
  Image image{width, height, std::vector<uint8_t>(static_cast<size_t>(3 * width * height))};
  for (size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<uint8_t>(i * 37 + i * i / 11);
  return image;
}

}  // namespace

TEST_CASE("images decode and preprocess exactly as Pillow and timm do") {
  const json::value file = read_json(kCases / "expected.json");
  const json::object& expected = file.as_object();
  const std::vector<Recipe> recipes = read_recipes(expected);
  REQUIRE(recipes.size() >= 10);
  // Each is used for one image after the other.
  std::vector<Preprocessor> preprocessors;
  for (const Recipe& recipe : recipes) preprocessors.emplace_back(recipe.preprocessing, recipe.image_size);
  size_t images = 0;
  for (const auto& [name, value] : expected.at("images").as_object()) {
    const json::object& wanted = value.as_object();
    INFO(std::string(name));
    ++images;
    const Image image = read_image(kCases / "images" / std::string(name));
    CHECK(image.width == as_int(wanted.at("width"), "width"));
    CHECK(image.height == as_int(wanted.at("height"), "height"));
    CHECK(digest(image.rgb) == as_string(wanted.at("rgb"), "rgb"));
    for (size_t i = 0; i < recipes.size(); ++i) {
      const Recipe& recipe = recipes[i];
      INFO(recipe.name);
      const json::object& digests = wanted.at("recipes").as_object().at(recipe.name).as_object();
      const Image cropped = resize_and_crop(image, recipe.preprocessing, recipe.image_size);
      CHECK(digest(planes_of(cropped)) == as_string(digests.at("pixels"), "pixels"));
      std::vector<float> floats(static_cast<size_t>(3 * recipe.image_size * recipe.image_size));
      preprocessors[i].read(kCases / "images" / std::string(name), floats);
      CHECK(digest(floats) == as_string(digests.at("floats"), "floats"));
      CHECK(pixels_of(floats, recipe.preprocessing, recipe.image_size).rgb == cropped.rgb);
    }
  }
  CHECK(images >= 55);
}

TEST_CASE("a window of a resize is the same pixels as a crop of the whole") {
  const Image image = ramp(53, 91);
  for (const auto& [width, height] : {std::pair<int64_t, int64_t>{31, 40}, {70, 64}, {53, 120}, {20, 91}}) {
    const Image whole = resize(image, width, height, zoo::Interpolation::kBicubic);
    const Window window{width / 3, height / 4, width / 2, height / 2};
    const Image part = resize_window(image, width, height, window, zoo::Interpolation::kBicubic);
    REQUIRE(part.rgb.size() == static_cast<size_t>(3 * window.width * window.height));
    bool same = true;
    for (int64_t y = 0; y < window.height; ++y) {
      for (int64_t i = 0; i < 3 * window.width; ++i) {
        same &= part.rgb[static_cast<size_t>(3 * window.width * y + i)] ==
                whole.rgb[static_cast<size_t>(3 * (width * (window.top + y) + window.left) + i)];
      }
    }
    INFO(width << " x " << height);
    CHECK(same);
  }
}

TEST_CASE("resizing to the same size changes nothing") {
  const Image image = ramp(29, 17);
  CHECK(resize(image, 29, 17, zoo::Interpolation::kBicubic).rgb == image.rgb);
  CHECK(resize(image, 29, 17, zoo::Interpolation::kBilinear).rgb == image.rgb);
}

TEST_CASE("a long thin image costs no more than the crop needs") {
  // In full, 65500 x 1 resized for a 224 crop would be 16 million x 248 pixels.
  const Image cropped = resize_and_crop(ramp(65500, 1), zoo::Preprocessing{}, 224);
  CHECK(cropped.rgb.size() == 3 * 224 * 224);
}

TEST_CASE("preprocessing that makes no sense is refused") {
  const Image image = ramp(20, 10);
  const auto code_of = [&](const zoo::Preprocessing& preprocessing, int64_t image_size) {
    try {
      resize_and_crop(image, preprocessing, image_size);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode{};
  };
  zoo::Preprocessing preprocessing;
  CHECK(code_of(preprocessing, 0) == ErrorCode::kCorrupt);
  preprocessing.crop_pct = 0;
  CHECK(code_of(preprocessing, 224) == ErrorCode::kCorrupt);
  preprocessing.crop_pct = 1000;
  CHECK(code_of(preprocessing, 224) == ErrorCode::kCorrupt);
  preprocessing = {};
  preprocessing.std[1] = 0;
  CHECK(code_of(preprocessing, 224) == ErrorCode::kCorrupt);
  CHECK_THROWS_AS(resize(image, 0, 5, zoo::Interpolation::kBicubic), Error);
  CHECK_THROWS_AS(resize(ramp(1, 1), 60'000'000, 1, zoo::Interpolation::kBicubic), Error);

  zoo::Preprocessing border;
  border.crop_mode = zoo::CropMode::kBorder;
  CHECK_THROWS_AS(resize_and_crop(ramp(2000, 1), border, 224), Error);
}

TEST_CASE("a preprocessing fingerprint names what matters and differs where pixels do") {
  const zoo::Preprocessing usual;
  const std::string fingerprint = preprocessing_fingerprint(usual, 224);
  for (const char* part : {"libjpeg-turbo ", "libpng ", "libwebp ", "bicubic", "shorter side to 248",
                           "crop 224", "0.485", "#"}) {
    INFO(part);
    CHECK(fingerprint.find(part) != std::string::npos);
  }
  CHECK(preprocessing_fingerprint(usual, 224) == fingerprint);
  std::vector<zoo::Preprocessing> others(5);
  others[0].crop_pct = 1.0;
  others[1].crop_mode = zoo::CropMode::kSquash;
  others[2].crop_mode = zoo::CropMode::kBorder;
  others[3].interpolation = zoo::Interpolation::kBilinear;
  others[4].std[2] = 0.5;
  for (const zoo::Preprocessing& other : others) CHECK(preprocessing_fingerprint(other, 224) != fingerprint);
  CHECK(preprocessing_fingerprint(usual, 225) != fingerprint);
}
