#include "zoo/video_from_tensors.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <limits>

#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/zoo/made_names.h"
#include "zoo/spec_from_tensors.h"

using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

const Catalog& catalog() { return Catalog::built_in(); }

const ModelSpec& architecture(const char* name) { return *catalog().lookup_architecture(name); }

// A Video Swin that the catalog does not know.
ModelSpec mini(int64_t window_frames, int64_t window) {
  ModelSpec spec = architecture("swin_tiny_patch244_window877");
  spec.dimensions.embed_dim = 16;
  spec.dimensions.depths = {1, 2};
  spec.dimensions.num_heads = {1, 2};
  spec.dimensions.window_frames = window_frames;
  spec.dimensions.window_size = {window, window};
  return spec;
}

void add_index(Names& names, const std::string& name, const backends::Extents& window) {
  const int64_t tokens = window[0] * window[1] * window[2];
  Tensor index(DType::kI64, {tokens, tokens});
  std::ranges::copy(backends::relative_position_index(window, tokens), index.as<int64_t>().begin());
  names.add(name, std::move(index));
}

const char* const kIndex = "layers.0.blocks.0.attn.relative_position_index";

}  // namespace

TEST_CASE("every Video Swin of the catalog is told from its tensors in every layout") {
  size_t told = 0;
  for (ModelSpec known : catalog().architectures()) {
    if (known.dimensions.family != "video_swin") continue;
    for (const int64_t classes : {0, 400}) {
      known.num_classes = classes;
      for (const Layout& layout : layouts_of("video_swin")) {
        INFO(known.architecture << " in the layout of " << layout.name);
        const auto spec = spec_from_tensors(names_of(known, layout), "a file", catalog());
        REQUIRE(spec);
        CHECK(spec->dimensions == known.dimensions);
        CHECK(spec->architecture == known.architecture);
        CHECK(spec->num_classes == classes);
        CHECK(spec->task == (classes > 0 ? "classification" : "features"));
        CHECK(spec->preprocessing == known.preprocessing);
        ++told;
      }
    }
  }
  CHECK(told == 4 * 2 * 3);
}

TEST_CASE("names and axes of Video Swin in every layout") {
  const std::span<const Layout> layouts = layouts_of("video_swin");
  const auto place = [&](size_t layout, const std::string& name, size_t rank) {
    return place_in(layouts[layout], name, Shape(rank));
  };
  CHECK(place(0, "layers.1.downsample.norm.weight", 1).names[0] == "layers.1.downsample.norm.weight");
  CHECK(place(1, "layers.1.blocks.0.norm1.bias", 1).names[0] == "backbone.layers.1.blocks.0.norm1.bias");
  CHECK(place(1, "norm.weight", 1).names[0] == "backbone.norm.weight");
  CHECK(place(1, "cls_head.fc_cls.weight", 2).names[0] == "cls_head.fc_cls.weight");
  const WeightPlace kernel = place(2, "patch_embed.proj.weight", 5);
  CHECK(kernel.names[0] == "projection/proj/kernel");
  CHECK(kernel.axes == std::vector<size_t>{4, 3, 0, 1, 2});
  CHECK(place(2, "patch_embed.norm.bias", 1).names[0] == "projection/norm/beta");
  const WeightPlace reduction = place(2, "layers.1.downsample.reduction.weight", 2);
  CHECK(reduction.names[0] == "layers3D/1/downsample/reduction/kernel");
  CHECK(reduction.axes == std::vector<size_t>{1, 0});
  CHECK(place(2, "layers.1.blocks.0.mlp.fc2.bias", 1).names[0] ==
        "layers3D/1/blocks/0/mlp/layer_with_weights-1/bias");
  CHECK(place(2, "norm.weight", 1).names[0] == "norm/gamma");
}

TEST_CASE("the position index tells the window of clips and a signature their size") {
  for (const backends::Extents& window :
       {backends::Extents{8, 7, 7}, {4, 3, 3}, {1, 5, 5}, {3, 4, 4}, {2, 2, 2}}) {
    const ModelSpec known = mini(window[0], window[1]);
    Names names = names_of(known, layouts_of("video_swin")[0]);
    add_index(names, kIndex, window);
    INFO(window[0] << "x" << window[1] << "x" << window[2]);
    CHECK(spec_from_tensors(names, "a file", catalog())->dimensions == known.dimensions);
  }
  ModelSpec known = mini(4, 3);
  known.dimensions.frames = 9;
  known.dimensions.image_size = 50;
  Names names = names_of(known, layouts_of("video_swin")[2]);
  add_index(names, "layers3D/0/blocks/0/attn/relative_position_index", {4, 3, 3});
  names.metadata_["signature.input_shape"] = "[-1, 3, 9, 50, 50]";
  const auto spec = spec_from_tensors(names, "a file", catalog());
  CHECK(spec->dimensions == known.dimensions);
  CHECK(spec->architecture == "video_swin");
  names.metadata_["signature.input_shape"] = "[-1, 3, -1, 50, 50]";
  CHECK(code_of([&] { spec_from_tensors(names, "a file", catalog()); }) == ErrorCode::kCorrupt);
  names.metadata_["signature.input_shape"] = "[-1, 3, 9, 50, 64]";
  known.dimensions.image_width = 64;
  CHECK(spec_from_tensors(names, "a file", catalog())->dimensions == known.dimensions);
}

TEST_CASE("without an index the number of position biases tells a published window only") {
  CHECK(spec_from_tensors(names_of(mini(16, 7), layouts_of("video_swin")[0]), "a file", catalog())
            ->dimensions.window_frames == 16);
  const Names unknown = names_of(mini(4, 3), layouts_of("video_swin")[0]);
  CHECK(code_of([&] { spec_from_tensors(unknown, "a file", catalog()); }) == ErrorCode::kUnsupported);
  CHECK_THROWS_WITH(spec_from_tensors(unknown, "a file", catalog()),
                    Catch::Contains("175 rows") && Catch::Contains("config.json"));
}

TEST_CASE("a position index of nonsense tells nothing") {
  const auto told = [](Tensor index) {
    Names names = names_of(mini(8, 7), layouts_of("video_swin")[0]);
    names.add(kIndex, std::move(index));
    return spec_from_tensors(names, "a file", catalog())->dimensions.window_frames;
  };
  for (const int64_t value : {int64_t{0}, std::numeric_limits<int64_t>::min(), int64_t{392}}) {
    Tensor index(DType::kI64, {392, 392});
    std::ranges::fill(index.as<int64_t>(), value);
    index.as<int64_t>()[0] = std::numeric_limits<int64_t>::max();
    CHECK(told(std::move(index)) == 8);  // as the number of position biases says
  }
  CHECK(told(Tensor(DType::kF32, {392, 392})) == 8);
  CHECK(told(Tensor(DType::kI64, {392, 391})) == 8);
  CHECK(told(Tensor(DType::kI64, {0, 0})) == 8);
  CHECK(told(Tensor(DType::kI64, {392})) == 8);
}

TEST_CASE("stages with tables of different windows are no Video Swin's") {
  Names names = names_of(mini(8, 7), layouts_of("video_swin")[0]);
  for (TensorInfo& tensor : names.tensors_) {
    if (tensor.name == "layers.1.blocks.0.attn.relative_position_bias_table") tensor.shape[0] = 7;
  }
  CHECK_FALSE(spec_from_tensors(names, "a file", catalog()));
}
