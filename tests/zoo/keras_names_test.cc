#include "zoo/keras_names.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "formats/error.h"
#include "zoo/architecture.h"
#include "zoo/catalog.h"
#include "zoo/model.h"
#include "zoo/name_map.h"
#include "zoo/weights.h"

using namespace swinzoo;
using namespace swinzoo::zoo;
using Strings = std::vector<std::string>;

namespace {

std::filesystem::path made_file(const std::string& name) {
  return std::filesystem::path(SWINZOO_TEST_DATA) / "formats" / name;
}

// A checkpoint of names only.
class Names : public Checkpoint {
 public:
  Names(const Strings& names, std::string_view format) : format_(format) {
    for (const std::string& name : names) tensors_.push_back({name, DType::kF32, {2}});
  }

  std::string_view format() const override { return format_; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  TensorView read(size_t, Tensor&) const override { return {}; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }

 private:
  std::string_view format_;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
};

Strings renamed(const Strings& names, std::string_view format = "hdf5") {
  Strings found;
  const auto checkpoint = with_object_paths(std::make_unique<Names>(names, format));
  for (const TensorInfo& tensor : checkpoint->tensors()) found.push_back(tensor.name);
  return found;
}

// The object paths of a model's weights, in its order, which is Keras' own.
Strings object_paths(const ModelSpec& spec) {
  const Layout& layout = *std::ranges::find(layouts_of("swin"), "keras", &Layout::name);
  Strings paths;
  for (const backends::Weight& weight : build_plan(spec).weights) {
    paths.push_back(place_in(layout, weight.name, weight.shape).names.front());
  }
  return paths;
}

// The same by names that tell only their last part.
Strings counted(const Strings& paths) {
  Strings names;
  for (const std::string& path : paths) {
    names.push_back(fmt::format("layer_{}/{}:0", names.size() * 3, path.substr(path.rfind('/') + 1)));
  }
  return names;
}

}  // namespace

TEST_CASE("every Swin of the catalog has its object paths from the order of names alone") {
  for (ModelSpec spec : Catalog::built_in().architectures()) {
    if (spec.dimensions.family != "swin") continue;
    for (const bool qkv_bias : {true, false}) {
      for (const int64_t classes : {spec.num_classes, int64_t{0}}) {
        INFO(spec.architecture << " " << qkv_bias << " " << classes);
        spec.dimensions.qkv_bias = qkv_bias;
        ModelSpec variant = spec;
        variant.num_classes = classes;
        const Strings paths = object_paths(variant);
        CHECK(renamed(counted(paths)) == paths);
      }
    }
  }
}

TEST_CASE("names in another order or of another model stay as they are") {
  const Strings paths =
      object_paths(*Catalog::built_in().lookup_architecture("swin_tiny_patch4_window7_224"));
  const Strings whole = counted(paths);
  CHECK(renamed(whole, "safetensors") == whole);
  CHECK(renamed({}).empty());
  CHECK(renamed({"a", "b"}) == Strings{"a", "b"});
  for (size_t left_out = 0; left_out < whole.size(); ++left_out) {
    Strings names = whole;
    names.erase(names.begin() + static_cast<ptrdiff_t>(left_out));
    const bool is_qkv_bias = paths[left_out].ends_with("qkv/bias") || paths[left_out].ends_with("proj/bias");
    INFO(paths[left_out]);
    CHECK((renamed(names) == names) != is_qkv_bias);
    names.resize(left_out);
    // Cut after a norm, it may be a smaller model without a head.
    if (left_out == 0 || !paths[left_out - 1].ends_with("beta")) CHECK(renamed(names) == names);
  }
  Strings sorted = whole;
  std::ranges::sort(sorted);
  CHECK(renamed(sorted) == sorted);
}

TEST_CASE("names of format 3 become object paths below any model") {
  const Strings names = {
      "projection/layers/conv2d/vars/0",
      "projection/layers/conv2d/vars/1",
      "projection/layers/layer_normalization/vars/1",
      "swin_layers/basic_layer/layers/swin_transformer_block/layers/window_attention/vars/0",
      "swin_layers/basic_layer_2/layers/swin_transformer_block_17/layers/window_attention/qkv/vars/1",
      "swin_layers/basic_layer_2/layers/swin_transformer_block_5/mlp/layers/dense/vars/0",
      "swin_layers/basic_layer_2/layers/swin_transformer_block_5/mlp/layers/dense_1/vars/1",
      "swin_layers/basic_layer_2/layers/swin_transformer_block_5/norm2/vars/1",
      "swin_layers/basic_layer_1/layers/patch_merging/reduction/vars/0",
      "norm/vars/0",
      "layers/dense/vars/0",
      "layers/dense/vars/1",
  };
  const Strings paths = {
      "projection/layer_with_weights-0/kernel",
      "projection/layer_with_weights-0/bias",
      "projection/layer_with_weights-1/beta",
      "swin_layers/0/blocks/0/attn/relative_position_bias_table",
      "swin_layers/2/blocks/17/attn/qkv/bias",
      "swin_layers/2/blocks/5/mlp/layer_with_weights-0/kernel",
      "swin_layers/2/blocks/5/mlp/layer_with_weights-1/bias",
      "swin_layers/2/blocks/5/norm2/beta",
      "swin_layers/1/downsample/reduction/kernel",
      "norm/gamma",
      "head/kernel",
      "head/bias",
  };
  CHECK(renamed(names) == paths);
  Strings within = names;
  for (std::string& name : within) name.insert(0, "layers/swin_transformer/");
  CHECK(renamed(within, "keras") == paths);
  // What stands beside the model, or is no weight's name, stays.
  within.insert(within.end(),
                {"layers/dense/vars/0", "layers/swin_transformer/vars", "layers/swin_transformer/a"});
  const Strings found = renamed(within);
  CHECK(Strings(found.begin() + 12, found.end()) == Strings{"layers/dense/vars/0", "vars", "a"});
  // Two that would become one stay as well.
  Strings twice = names;
  twice.push_back("norm/layers/vars/0");
  CHECK(renamed(twice) == twice);
}

TEST_CASE("all of Keras' files of a model give the same weights") {
  const OpenedModel model = open_model(made_file("keras_model.h5"), Catalog::built_in());
  CHECK(model.spec.dimensions.image_size == 16);
  CHECK(model.spec.num_classes == 3);
  const backends::Plan plan = build_plan(model.spec);
  const auto expected = open_checkpoint(made_file("keras.safetensors"));
  REQUIRE(expected->tensors().size() == plan.weights.size());
  for (const char* name : {"keras_weights.h5", "keras_model.h5", "keras_3.weights.h5", "keras_stored.keras",
                           "keras_deflated.keras"}) {
    INFO(name);
    const auto checkpoint = with_object_paths(open_checkpoint(made_file(name)));
    const WeightMatch match = match_weights(plan, "swin", *checkpoint);
    CHECK(match.layout == "keras");
    CHECK_NOTHROW(require_fit(match, name));
    const Weights weights(plan, *checkpoint, match);
    for (size_t i = 0; i < plan.weights.size(); ++i) {
      INFO(plan.weights[i].name);
      Tensor scratch;
      const int64_t index = expected->find(plan.weights[i].name);
      REQUIRE(index >= 0);
      const TensorView want = expected->read(static_cast<size_t>(index), scratch);
      CHECK(weights.views()[i].shape == want.shape);
      CHECK(std::ranges::equal(weights.views()[i].bytes, want.bytes));
    }
  }
}
