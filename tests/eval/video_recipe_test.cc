// Frame indices and crops as the authors' pipelines have them (tests/data/make_video_cases.py).
#include "eval/video_recipe.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/eval/video_cases.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

using Indices = std::vector<std::vector<int64_t>>;

Indices indices_in(const json::value& value) {
  Indices clips;
  for (const json::value& clip : value.as_array()) {
    std::vector<int64_t>& frames = clips.emplace_back();
    for (const json::value& frame : clip.as_array()) frames.push_back(frame.as_int64());
  }
  return clips;
}

}  // namespace

TEST_CASE("the frames of videos of any length are those that the authors take") {
  const VideoRecipe& kinetics = find_video_recipe("kinetics");
  const VideoRecipe& ssv2 = find_video_recipe("ssv2");
  size_t cases = 0;
  for (const json::value& value : video_cases().at("indices").as_array()) {
    const json::array& row = value.as_array();
    const int64_t length = row[0].as_int64();
    const int64_t total = row[1].as_int64();
    INFO(length << " of " << total);
    CHECK(frame_indices(kinetics, length, total) == indices_in(row[2]));
    CHECK(frame_indices(ssv2, length, total) == indices_in(row[3]));
    ++cases;
  }
  CHECK(cases == 22);
  CHECK(frame_indices(ssv2, 2, 1) == Indices{{0, 0}});
  CHECK(frame_indices(kinetics, 2, 3) == Indices(4, {0, 2}));
}

TEST_CASE("frames are resized and cropped to the authors' boxes") {
  for (const auto& [name, value] : clips()) {
    INFO(name);
    const json::object& expected = value.as_object();
    const auto& size = expected.at("size").as_array();
    const auto& resized_size = expected.at("resized_size").as_array();
    const FrameSize resized = resized_frame({size[0].as_int64(), size[1].as_int64()}, 34);
    CHECK(resized == FrameSize{resized_size[0].as_int64(), resized_size[1].as_int64()});
    Indices boxes;
    for (const Window& crop : three_crops(resized, 34)) {
      boxes.push_back({crop.left, crop.top, crop.left + crop.width, crop.top + crop.height});
    }
    CHECK(boxes == indices_in(expected.at("crops")));
  }
  CHECK(resized_frame({340, 256}, 224) == FrameSize{298, 224});
  CHECK(resized_frame({320, 240}, 224) == FrameSize{299, 224});
  CHECK(three_crops({224, 299}, 224)[1].top == 74);
}

TEST_CASE("a model has a recipe by what it was trained on") {
  zoo::ModelSpec spec;
  spec.dataset = "kinetics400, something-something-v2";
  CHECK(default_video_recipe(spec).name == "ssv2");
  spec.dataset = "imagenet-22k, kinetics600";
  CHECK(default_video_recipe(spec).name == "kinetics");
  spec.num_classes = 174;
  CHECK(default_video_recipe(spec).name == "kinetics");
  spec.dataset = "";
  CHECK(default_video_recipe(spec).name == "ssv2");
  CHECK(find_video_recipe("kinetics").views() == 12);
  CHECK(find_video_recipe("ssv2").views() == 3);
  CHECK(code_of([] { find_video_recipe("sthv2"); }) == ErrorCode::kUsage);
}

TEST_CASE("a video's probabilities are the mean over its views") {
  // Of log 1, log 3 and log 2, log 2 the probabilities are 1/4, 3/4 and 1/2, 1/2.
  const float one = 0.0f, two = std::log(2.0f), three = std::log(3.0f);
  const std::vector<float> mean = mean_probabilities(std::vector<float>{one, three, two, two}, 2);
  REQUIRE(mean.size() == 2);
  CHECK(mean[0] == Approx(0.375).epsilon(1e-6));
  CHECK(mean[1] == Approx(0.625).epsilon(1e-6));
  CHECK(mean_probabilities(std::vector<float>{1000, 1000}, 1) == std::vector<float>{0.5f, 0.5f});
}
