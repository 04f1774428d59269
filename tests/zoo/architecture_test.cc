#include "zoo/architecture.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "backends/plan_check.h"
#include "eval/count.h"
#include "formats/error.h"
#include "formats/json.h"
#include "tests/error_code.h"
#include "tests/made_model.h"
#include "zoo/catalog.h"

using namespace swinzoo;
using namespace swinzoo::zoo;
using backends::Plan;

namespace {

Shape shape_of(const Plan& plan, const char* output) {
  const backends::Output* found = plan.find_output(output);
  REQUIRE(found != nullptr);
  Shape shape = plan.output_shape(*found, 1);
  if (plan.value(found->value).windowed) return shape;
  shape.erase(shape.begin());
  return shape;
}

void check_shapes(const Plan& plan, const ModelSpec& spec) {
  const Dimensions& d = spec.dimensions;
  const int64_t depth = (d.frames + 1) / 2;  // of the grid; 0 for images
  CHECK(plan.input == (d.frames > 0 ? Shape{d.in_chans, d.frames, d.image_size, d.image_size}
                                    : Shape{d.in_chans, d.image_size, d.image_size}));
  const auto laid_out = [&](int64_t side, int64_t channels) {
    if (d.family == "video_swin") return Shape{channels, depth, side, side};
    return d.family == "swinv2_cr" ? Shape{channels, side, side} : Shape{side, side, channels};
  };
  const int64_t window_depth = std::max<int64_t>(std::min(depth, d.window_frames), 1);
  const int64_t windows_deep = (std::max<int64_t>(depth, 1) + window_depth - 1) / window_depth;
  int64_t side = (d.image_size + d.patch_size - 1) / d.patch_size;
  int64_t channels = d.embed_dim;
  int64_t block = 0;
  for (size_t stage = 0; stage < d.depths.size(); ++stage) {
    if (stage > 0) {
      side = (side + 1) / 2;
      channels *= 2;
    }
    CHECK(shape_of(plan, fmt::format("feature_map.{}", stage).c_str()) == laid_out(side, channels));
    const int64_t window = std::min(side, d.window_size[stage]);
    const int64_t windows = windows_deep * ((side + window - 1) / window) * ((side + window - 1) / window);
    const int64_t tokens = window_depth * window * window;
    for (const int64_t last = block + d.depths[stage]; block < last; ++block) {
      CHECK(shape_of(plan, fmt::format("attention.{}", block).c_str()) ==
            Shape{windows, d.num_heads[stage], tokens, tokens});
    }
  }
  CHECK(shape_of(plan, "features") == laid_out(side, channels));
  CHECK(shape_of(plan, "embedding") == Shape{channels});
  if (spec.num_classes > 0) {
    CHECK(shape_of(plan, "logits") == Shape{spec.num_classes});
  } else {
    CHECK(plan.find_output("logits") == nullptr);
  }
}

}  // namespace

TEST_CASE("every entry and architecture has a plan with consistent shapes") {
  size_t built = 0;
  const Catalog& catalog = Catalog::built_in();
  std::vector<const ModelSpec*> specs;
  for (const ModelSpec& spec : catalog.entries()) specs.push_back(&spec);
  for (const ModelSpec& spec : catalog.architectures()) specs.push_back(&spec);
  for (const ModelSpec* spec : specs) {
    INFO(spec->id);
    ++built;
    const Plan plan = build_plan(*spec);
    CHECK_NOTHROW(backends::check_plan(plan));
    check_shapes(plan, *spec);
  }
  CHECK(built == catalog.entries().size() + catalog.architectures().size());
}

TEST_CASE("a window that covers or does not divide the grid gives consistent shapes") {
  for (const int64_t image_size : {4, 8, 16, 28, 36, 60}) {
    const ModelSpec spec = made_spec({.image_size = image_size});
    INFO(image_size);
    const Plan plan = build_plan(spec);
    CHECK_NOTHROW(backends::check_plan(plan));
    check_shapes(plan, spec);
  }
}

TEST_CASE("clips of any size have plans with consistent shapes and the same weights") {
  ModelSpec spec = *Catalog::built_in().lookup_architecture("swin_tiny_patch244_window877");
  spec.num_classes = 3;
  const Plan usual = build_plan(spec);
  CHECK(usual.weights.front().shape == Shape{96, 3, 2, 4, 4});
  CHECK(usual.weights.back().name == "cls_head.fc_cls.bias");
  for (const int64_t frames : {1, 2, 7, 33}) {
    for (const int64_t image_size : {1, 30, 97, 224}) {
      spec.dimensions.frames = frames;
      spec.dimensions.image_size = image_size;
      INFO(frames << " frames of " << image_size);
      const Plan plan = build_plan(spec);
      CHECK_NOTHROW(backends::check_plan(plan));
      check_shapes(plan, spec);
      CHECK(std::ranges::equal(plan.weights, usual.weights, [](const auto& a, const auto& b) {
        return a.name == b.name && a.shape == b.shape;
      }));
    }
  }
}

TEST_CASE("a head of no classes has no logits") {
  const ModelSpec spec = made_spec({.num_classes = 0});
  check_shapes(build_plan(spec), spec);
}

TEST_CASE("counts equal fvcore's on the reference implementations") {
  const Catalog& catalog = Catalog::built_in();
  const auto check_counts = [&](const json::value& row) {
    const std::string name = as_string(row.at("architecture"), "row");
    INFO(name);
    const ModelSpec* spec = catalog.lookup_architecture(name);
    REQUIRE(spec != nullptr);
    const eval::Count count = eval::count(build_plan(*spec));
    CHECK(count.params == as_int(row.at("params"), name));
    CHECK(count.macs == as_int(row.at("fvcore_total_macs"), name));
    CHECK(count.activations == as_int(row.at("fvcore_activations"), name));
    std::map<std::string, int64_t> by_operator;
    for (const auto& member : row.at("by_operator").as_object())
      by_operator[member.key()] = as_int(member.value(), name);
    CHECK(count.by_operator == by_operator);
    return *spec;
  };
  const json::value images = read_json(SWINZOO_TEST_DATA "/counts_fvcore.json");
  CHECK(images.at("counts").as_array().size() == 33);
  for (const json::value& row : images.at("counts").as_array()) {
    const ModelSpec spec = check_counts(row);
    CHECK(spec.dimensions.image_size == as_int(row.at("input_size"), spec.id));
    CHECK(spec.num_classes == as_int(row.at("num_classes"), spec.id));
  }
  const json::value clips = read_json(SWINZOO_TEST_DATA "/counts_fvcore_video.json");
  CHECK(clips.as_array().size() == 4);
  for (const json::value& row : clips.as_array()) {
    const ModelSpec spec = check_counts(row);
    CHECK(row.at("input") == json::value({1, 3, spec.dimensions.frames, spec.dimensions.image_size,
                                          spec.dimensions.image_size}));
    CHECK(spec.num_classes == 0);
  }
}

TEST_CASE("a family that no architecture has is named with its entry") {
  ModelSpec spec = made_spec({});
  spec.dimensions.family = "swinv3";
  CHECK(code_of([&] { build_plan(spec); }) == ErrorCode::kUnsupported);
  CHECK_THROWS_WITH(build_plan(spec), Catch::Contains(spec.id) && Catch::Contains("'swinv3'"));
}
