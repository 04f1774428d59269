#include "zoo/config_json.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "formats/error.h"

using namespace swinzoo;
using namespace swinzoo::zoo;
using Stages = std::vector<int64_t>;

namespace {

ModelSpec read(const std::string& config) {
  return spec_from_config(parse_json(config, "config"), "config.json", Catalog::built_in());
}

ModelSpec read(const std::string& config, const std::string& preprocessor) {
  const json::value processor = parse_json(preprocessor, "preprocessor");
  return spec_from_config(parse_json(config, "config"), "config.json", Catalog::built_in(), &processor);
}

Error error_of(const std::string& config, const std::string& preprocessor = "{}") {
  try {
    read(config, preprocessor);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kFailed, "no error"};
}

std::string timm(const std::string& architecture, const std::string& arguments) {
  return fmt::format(R"({{"architecture": "{}", "model_args": {}}})", architecture, arguments);
}

const char* const kTransformers = R"({"model_type": "swin", "architectures": ["SwinForImageClassification"],
  "image_size": 64, "embed_dim": 16, "depths": [2, 2], "num_heads": [1, 2], "window_size": 4,
  "id2label": {"0": "a", "1": "b", "2": "c"}})";

}  // namespace

TEST_CASE("timm's config gives the architecture and its input") {
  const ModelSpec spec = read(R"({"architecture": "swin_base_patch4_window12_384", "num_classes": 21,
    "num_features": 1024, "global_pool": "avg", "pretrained_cfg": {"tag": "x", "input_size": [3, 384, 384],
    "pool_size": [12, 12], "crop_pct": 0.95, "crop_mode": "squash", "interpolation": "bilinear",
    "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.1], "num_classes": 1000, "fixed_input_size": true,
    "first_conv": "patch_embed.proj", "classifier": "head.fc", "license": "mit"}})");
  CHECK(spec.architecture == "swin_base_patch4_window12_384");
  CHECK(spec.dimensions == Catalog::built_in().lookup_architecture(spec.architecture)->dimensions);
  CHECK(spec.num_classes == 21);
  CHECK(spec.task == "classification");
  CHECK(spec.preprocessing.crop_pct == 0.95);
  CHECK(spec.preprocessing.crop_mode == CropMode::kSquash);
  CHECK(spec.preprocessing.interpolation == Interpolation::kBilinear);
  CHECK(spec.preprocessing.mean == std::array<double, 3>{0.5, 0.4, 0.3});
  CHECK(spec.preprocessing.std == std::array<double, 3>{0.2, 0.2, 0.1});
  CHECK(spec.license == "mit");
}

TEST_CASE("a config of a video architecture has the extents of its clips") {
  const ModelSpec spec = read(R"({"architecture": "swin_tiny_patch244_window877", "num_classes": 5,
    "pretrained_cfg": {"input_size": [3, 7, 34, 34]},
    "model_args": {"embed_dim": 4, "depths": [2, 1], "num_heads": [1, 2], "window_size": [2, 5, 5]}})");
  CHECK(spec.dimensions.family == "video_swin");
  CHECK(spec.dimensions.frames == 7);
  CHECK(spec.dimensions.image_size == 34);
  CHECK(spec.dimensions.window_frames == 2);
  CHECK(spec.dimensions.window_size == Stages{5, 5});
  const auto code = [](const std::string& more) {
    return error_of(R"({"architecture": "swin_tiny_patch244_window877", )" + more + "}").code();
  };
  CHECK(code(R"("pretrained_cfg": {"input_size": [3, 224, 224]})") == ErrorCode::kCorrupt);
  const Dimensions wide = read(R"({"architecture": "swin_tiny_patch244_window877",
    "pretrained_cfg": {"input_size": [3, 8, 112, 224]}})").dimensions;
  CHECK(wide.image_size == 112);
  CHECK(wide.width() == 224);
  CHECK(code(R"("pretrained_cfg": {"input_size": [3, 0, 224, 224]})") == ErrorCode::kCorrupt);
  CHECK(code(R"("model_args": {"window_size": [7, 7]})") == ErrorCode::kCorrupt);
  CHECK(code(R"("model_args": {"window_size": 7})") == ErrorCode::kCorrupt);
  CHECK(code(R"("model_args": {"window_size": [8, 7, 6]})") == ErrorCode::kUnsupported);
}

TEST_CASE("timm's model_args override the architecture") {
  const ModelSpec spec =
      read(timm("swin_tiny_patch4_window7_224.ms_in1k", R"({"img_size": 128, "patch_size": 2,
    "in_chans": 1, "embed_dim": 16, "depths": [1, 2, 3], "num_heads": [1, 2, 4], "window_size": [4, 8, 2],
    "mlp_ratio": 2.5, "qkv_bias": false, "num_classes": 0, "drop_path_rate": 0.2, "global_pool": "avg",
    "always_partition": false, "norm_layer": null})"));
  CHECK(spec.architecture == "swin_tiny_patch4_window7_224");
  CHECK(spec.dimensions.image_size == 128);
  CHECK(spec.dimensions.patch_size == 2);
  CHECK(spec.dimensions.in_chans == 1);
  CHECK(spec.dimensions.embed_dim == 16);
  CHECK(spec.dimensions.depths == Stages{1, 2, 3});
  CHECK(spec.dimensions.num_heads == Stages{1, 2, 4});
  CHECK(spec.dimensions.window_size == Stages{4, 8, 2});
  CHECK(spec.dimensions.mlp_ratio == 2.5);
  CHECK_FALSE(spec.dimensions.qkv_bias);
  CHECK(spec.num_classes == 0);
  CHECK(spec.task == "features");
}

TEST_CASE("windows follow timm's rules") {
  CHECK(read(timm("swin_tiny_patch4_window7_224", R"({"window_size": [14, 14]})")).dimensions.window_size ==
        Stages{14, 14, 14, 14});
  CHECK(read(timm("swin_tiny_patch4_window7_224", R"({"depths": [2, 2], "num_heads": [3, 6]})"))
            .dimensions.window_size == Stages{7, 7});
  CHECK(read(timm("swin_s3_small_224", "{}")).dimensions.window_size == Stages{14, 14, 14, 7});
  // swinv2_cr: the patch grid over window_ratio, unless a window is given.
  CHECK(read(timm("swinv2_cr_tiny_224", R"({"img_size": 384})")).dimensions.window_size ==
        Stages{12, 12, 12, 12});
  CHECK(read(timm("swinv2_cr_tiny_224", R"({"window_ratio": 4})")).dimensions.window_size ==
        Stages{14, 14, 14, 14});
  CHECK(read(timm("swinv2_cr_tiny_224", R"({"window_size": 8})")).dimensions.window_size ==
        Stages{8, 8, 8, 8});
  CHECK(read(timm("swinv2_tiny_window8_256", R"({"depths": [2, 2], "num_heads": [3, 6]})"))
            .dimensions.pretrained_window_size == Stages{0, 0});
  CHECK(read(timm("swinv2_tiny_window8_256", R"({"pretrained_window_sizes": [6, 6, 6, 3]})"))
            .dimensions.pretrained_window_size == Stages{6, 6, 6, 3});
  CHECK(error_of(timm("swinv2_tiny_window8_256", R"({"window_size": [8, 8, 8, 8]})")).code() ==
        ErrorCode::kUnsupported);
  CHECK(error_of(timm("swin_tiny_patch4_window7_224", R"({"window_size": [7, 14]})")).code() ==
        ErrorCode::kUnsupported);
}

TEST_CASE("old timm configs have their fields at the top level") {
  const ModelSpec spec = read(R"({"architecture": "swinv2_tiny_window8_256", "num_classes": 5,
    "input_size": [3, 128, 128], "crop_pct": 1.0, "labels": ["a"]})");
  CHECK(spec.dimensions.image_size == 128);
  CHECK(spec.num_classes == 5);
  CHECK(spec.class_names.empty());  // one label for five classes
  CHECK(spec.preprocessing.crop_pct == 1.0);
  CHECK(spec.preprocessing.mean == std::array<double, 3>{0.485, 0.456, 0.406});
  CHECK(read(R"({"architecture": "swinv2_tiny_window8_256"})").preprocessing.crop_pct ==
        0.875);  // timm's default
}

TEST_CASE("timm arguments that would change the model are refused by name") {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"head_dim": 32})", "head_dim = 32"},
      {R"({"norm_layer": "rmsnorm"})", "norm_layer = \"rmsnorm\""},
      {R"({"global_pool": ""})", "global_pool = \"\""},
      {R"({"always_partition": true})", "always_partition = true"},
      {R"({"act_layer": "relu"})", "act_layer"},
      {R"({"sequential_attn": true})", "sequential_attn = true"},
  };
  for (const auto& [arguments, message] : cases) {
    const Error error = error_of(timm("swin_tiny_patch4_window7_224", arguments));
    CHECK(error.code() == ErrorCode::kUnsupported);
    CHECK_THAT(error.what(), Catch::Matchers::Contains(message));
  }
}

TEST_CASE("an architecture of timm that is not a Swin is refused") {
  const Error error = error_of(R"({"architecture": "swin_tiny_patch4_window7_22"})");
  CHECK(error.code() == ErrorCode::kUnsupported);
  CHECK_THAT(error.what(), Catch::Matchers::Contains("did you mean \"swin_tiny_patch4_window7_224\"?"));
  CHECK(error_of(R"({"architecture": "resnet50"})").code() == ErrorCode::kUnsupported);
}

TEST_CASE("transformers' config gives all dimensions") {
  const ModelSpec spec = read(kTransformers);
  CHECK(spec.architecture == "swin");
  CHECK(spec.dimensions.family == "swin");
  CHECK(spec.dimensions.image_size == 64);
  CHECK(spec.dimensions.embed_dim == 16);
  CHECK(spec.dimensions.depths == Stages{2, 2});
  CHECK(spec.dimensions.window_size == Stages{4, 4});
  CHECK(spec.dimensions.pretrained_window_size.empty());
  CHECK(spec.num_classes == 3);
  CHECK(spec.class_names == std::vector<std::string>{"a", "b", "c"});
  CHECK(spec.preprocessing.crop_mode == CropMode::kSquash);
  CHECK(spec.preprocessing.crop_pct == 1.0);
  CHECK(spec.preprocessing.interpolation == Interpolation::kBicubic);
}

TEST_CASE("transformers' full-size configs are known by timm's names") {
  const ModelSpec v1 =
      read(R"({"model_type": "swin", "image_size": [224, 224], "architectures": ["SwinModel"]})");
  CHECK(v1.architecture == "swin_tiny_patch4_window7_224");
  CHECK(v1.num_classes == 0);
  const ModelSpec v2 =
      read(R"({"model_type": "swinv2", "image_size": 256, "window_size": 16, "embed_dim": 128,
    "depths": [2, 2, 18, 2], "num_heads": [4, 8, 16, 32], "pretrained_window_sizes": [12, 12, 12, 6],
    "hidden_act": "gelu", "layer_norm_eps": 1e-05, "use_absolute_embeddings": false,
    "architectures": ["Swinv2ForImageClassification"], "id2label": null, "num_labels": 1000})");
  CHECK(v2.architecture == "swinv2_base_window12to16_192to256");
  CHECK(v2.num_classes == 1000);
  CHECK(read(R"({"model_type": "swinv2", "architectures": ["Swinv2ForImageClassification"]})").num_classes ==
        2);
}

TEST_CASE("preprocessor configs of old and new form") {
  // As beside transformers' own entries: a number, or height and width.
  for (const char* size : {"64", R"({"height": 64, "width": 64})"}) {
    const Preprocessing squashed =
        read(kTransformers,
             fmt::format(R"({{"do_resize": true, "size": {}, "resample": 3, "do_normalize": true,
          "image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}})",
                         size))
            .preprocessing;
    CHECK(squashed.crop_mode == CropMode::kSquash);
    CHECK(squashed.crop_pct == 1.0);
    CHECK(squashed.interpolation == Interpolation::kBicubic);
    CHECK(squashed.mean == std::array<double, 3>{0.1, 0.2, 0.3});
    CHECK(squashed.std == std::array<double, 3>{0.4, 0.5, 0.6});
  }
  const Preprocessing cropped =
      read(kTransformers, R"({"size": {"shortest_edge": 107}, "resample": 2, "do_center_crop": true,
        "crop_size": {"height": 64, "width": 64}})")
          .preprocessing;
  CHECK(cropped.crop_mode == CropMode::kCenter);
  CHECK(cropped.interpolation == Interpolation::kBilinear);
  CHECK(std::floor(64 / cropped.crop_pct) == 107);
  const Preprocessing convnext =
      read(kTransformers, R"({"size": {"shortest_edge": 64}, "crop_pct": 0.875})").preprocessing;
  CHECK(convnext.crop_mode == CropMode::kCenter);
  CHECK(convnext.crop_pct == 0.875);
}

TEST_CASE("every resize and crop of a preprocessor config comes out whole") {
  for (int side = 64; side < 400; ++side) {
    const Preprocessing preprocessing =
        read(kTransformers, fmt::format(R"({{"size": {{"shortest_edge": {}}}, "do_center_crop": true,
          "crop_size": 64}})",
                                        side))
            .preprocessing;
    CHECK(std::floor(64 / preprocessing.crop_pct) == side);
  }
}

TEST_CASE("preprocessor configs that no recipe matches are refused") {
  for (const char* processor :
       {R"({"size": 32})", R"({"size": {"shortest_edge": 64}})", R"({"size": 64, "resample": 0})",
        R"({"size": 64, "do_normalize": false})", R"({"size": {"height": 64, "width": 32}})",
        R"({"size": 32, "do_center_crop": true, "crop_size": 64})"}) {
    INFO(processor);
    CHECK(error_of(kTransformers, processor).code() == ErrorCode::kUnsupported);
  }
  CHECK(error_of(kTransformers, R"({"size": "big"})").code() == ErrorCode::kCorrupt);
  CHECK(error_of(kTransformers, R"({"size": {"height": 64}})").code() == ErrorCode::kCorrupt);
  CHECK(error_of(kTransformers, "[]").code() == ErrorCode::kCorrupt);
}

TEST_CASE("other configs are refused") {
  CHECK(error_of("{}").code() == ErrorCode::kUnsupported);
  CHECK(error_of("[]").code() == ErrorCode::kCorrupt);
  CHECK(error_of(R"({"model_type": "vit"})").code() == ErrorCode::kUnsupported);
  CHECK(error_of(R"({"model_type": "swin", "hidden_act": "relu"})").code() == ErrorCode::kUnsupported);
  CHECK(error_of(R"({"model_type": "swin", "use_absolute_embeddings": true})").code() ==
        ErrorCode::kUnsupported);
  CHECK(error_of(R"({"model_type": "swin", "image_size": [224, 112]})").code() == ErrorCode::kUnsupported);
  CHECK(error_of(R"({"model_type": "swin", "patch_size": 0})").code() == ErrorCode::kCorrupt);
  CHECK(error_of(R"({"model_type": "swin", "depths": [2, 2]})").code() == ErrorCode::kCorrupt);
  CHECK(error_of(R"({"model_type": "swin", "embed_dim": 4611686018427387904})").code() ==
        ErrorCode::kCorrupt);
  CHECK(error_of(timm("swinv2_cr_tiny_224", R"({"patch_size": 0})")).code() == ErrorCode::kCorrupt);
  CHECK(error_of(timm("swin_tiny_patch4_window7_224", R"({"depths": "many"})")).code() ==
        ErrorCode::kCorrupt);
  CHECK(error_of(timm("swin_tiny_patch4_window7_224", R"({"num_classes": -1})")).code() ==
        ErrorCode::kCorrupt);
  CHECK(
      error_of(R"({"architecture": "swin_tiny_patch4_window7_224", "pretrained_cfg": {"input_size": [224]}})")
          .code() == ErrorCode::kCorrupt);
}
