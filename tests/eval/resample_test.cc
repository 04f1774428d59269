// Resizing by each instruction set. That the portable one is Pillow's is preprocess_test.cc's.
#include "eval/resample.h"

#include <catch2/catch.hpp>
#include <random>

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

struct Case {
  int64_t in_width, in_height;
  int64_t width, height;
  Window window;
};

// Samples of any value and, where `is_hard`, of the extremes alone: sums beyond 0..255.
Image noise(int64_t width, int64_t height, bool is_hard, std::mt19937& random) {
  Image image{width, height, std::vector<uint8_t>(static_cast<size_t>(3 * width * height))};
  for (uint8_t& sample : image.rgb) sample = static_cast<uint8_t>(is_hard ? 255 * (random() % 2) : random());
  return image;
}

std::vector<uint8_t> samples_of(const PixelView& pixels) {
  std::vector<uint8_t> samples;
  for (int64_t y = 0; y < pixels.height; ++y) {
    const uint8_t* row = pixels.data + y * pixels.stride;
    samples.insert(samples.end(), row, row + 3 * pixels.width);
  }
  return samples;
}

std::vector<Case> made_cases(std::mt19937& random) {
  std::vector<Case> cases = {
      {500, 375, 331, 248, {53, 12, 224, 224}},  // across first
      {375, 500, 248, 331, {12, 53, 224, 224}},
      {300, 900, 248, 744, {12, 260, 224, 224}},  // down first: three times as tall as wide
      {60, 700, 224, 224, {0, 0, 224, 224}},
      {40, 30, 298, 224, {37, 0, 224, 224}},  // enlarged
      {20000, 3, 30, 3, {0, 0, 30, 3}},       // thousands of taps: the sums of the weights' low parts wrap
      {3, 20000, 30, 30, {0, 0, 30, 30}},
      {64, 64, 64, 64, {0, 0, 64, 64}},
  };
  const auto up_to = [&](int64_t most) {
    return 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(most));
  };
  for (int i = 0; i < 400; ++i) {
    // Small ones often: rows shorter than a vector, and fewer rows than are worked on at a time.
    const int64_t most = i % 2 == 0 ? 30 : 300;
    Case made{up_to(most), up_to(most), up_to(most), up_to(most), {}};
    made.window = {up_to(made.width) - 1, up_to(made.height) - 1, 0, 0};
    made.window.width = up_to(made.width - made.window.left);
    made.window.height = up_to(made.height - made.window.top);
    cases.push_back(made);
  }
  return cases;
}

}  // namespace

TEST_CASE("each instruction set resizes to the same bytes as the portable code") {
  using backends::Isa;
  for (const Isa isa : {Isa::kAvx2, Isa::kAvx512}) {
    if (!backends::has_isa(isa)) continue;
    std::mt19937 random(7);
    Resampler portable(Isa::kBaseline), vectors(isa);
    int64_t same = 0, compared = 0;
    for (const Case& made : made_cases(random)) {
      const Image image = noise(made.in_width, made.in_height, compared % 3 == 0, random);
      for (const zoo::Interpolation filter : {zoo::Interpolation::kBicubic, zoo::Interpolation::kBilinear}) {
        const auto resized = [&](Resampler& resampler) {
          return samples_of(resampler.resize(image, made.width, made.height, made.window, filter));
        };
        const bool is_same = resized(vectors) == resized(portable);
        ++compared;
        same += is_same;
        if (is_same) continue;
        UNSCOPED_INFO(made.in_width << " x " << made.in_height << " to " << made.width << " x "
                                    << made.height);
      }
    }
    INFO(backends::name_of(isa));
    CHECK(compared == 816);
    CHECK(same == compared);
  }
}

TEST_CASE("the best that this machine has is chosen") {
  using backends::Isa;
  const bool has_512 = backends::has_isa(Isa::kAvx512), has_256 = backends::has_isa(Isa::kAvx2);
  CHECK(resample_isa() == (has_512 ? Isa::kAvx512 : has_256 ? Isa::kAvx2 : Isa::kBaseline));
}
