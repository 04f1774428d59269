#include "zoo/catalog.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "formats/error.h"
#include "zoo/spec_check.h"

using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

const char* const kArchitecture = R"({"family": "swin", "image_size": 64, "embed_dim": 16, "depths": [2, 2],
  "num_heads": [1, 2], "window_size": 4, "num_classes": 10, "preprocessing": {"crop_pct": 0.9,
  "crop_mode": "center", "interpolation": "bicubic", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}})";
const char* const kEntry =
    R"({"id": "my/mini", "aliases": ["mini"], "collection": "mine", "task": "classification",
  "architecture": "mini_arch", "num_classes": 7, "preprocessing": {"crop_pct": 1.0, "crop_mode": "squash",
  "interpolation": "bilinear", "mean": [0, 0, 0], "std": [1, 1, 1]}, "sources": ["https://example.org/mini.pth"],
  "license": "", "dataset": "", "published": [{"dataset": "imagenet", "by": "me", "top1": 12.5, "source": "me"}]})";

// A document of one architecture and one entry, with one text in it replaced.
json::value document(const std::string& from = "", const std::string& to = "") {
  std::string text = fmt::format(R"({{"schema": 1, "architectures": {{"mini_arch": {}}}, "entries": [{}]}})",
                                 kArchitecture, kEntry);
  if (!from.empty()) {
    const size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
  }
  return parse_json(text, "document");
}

// The error that adding the document to the built-in catalog ends in.
Error error_of(const json::value& value) {
  try {
    Catalog::built_in().with(value, "mine.json");
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kFailed, "no error"};
}

std::vector<double> top1_of(const std::string& name, const std::string& by) {
  std::vector<double> figures;
  for (const PublishedAccuracy& figure : Catalog::built_in().find(name).published) {
    if (figure.by == by) figures.push_back(figure.top1.value());
  }
  return figures;
}

}  // namespace

TEST_CASE("the built-in catalog has all collections") {
  std::map<std::string, int> rows;
  for (const ModelSpec& spec : Catalog::built_in().entries()) ++rows[spec.collection];
  CHECK(rows == std::map<std::string, int>{{"sayakpaul/swin/1", 26},
                                           {"shoaib6174/video_swin_transformer/1", 6},
                                           {"timm", 34},
                                           {"microsoft", 22}});
  CHECK(Catalog::built_in().architectures().size() == 41);
}

TEST_CASE("ids and aliases are unique and found") {
  const Catalog& catalog = Catalog::built_in();
  std::set<std::string> names;
  for (const ModelSpec& spec : catalog.entries()) {
    INFO(spec.id);
    CHECK(names.insert(spec.id).second);
    CHECK(&catalog.find(spec.id) == &spec);
    for (const std::string& alias : spec.aliases) {
      CHECK(names.insert(alias).second);
      CHECK(catalog.lookup(alias) == &spec);
    }
  }
}

TEST_CASE("every row is whole and fits its architecture") {
  const Catalog& catalog = Catalog::built_in();
  for (const ModelSpec& spec : catalog.entries()) {
    INFO(spec.id);
    CHECK_NOTHROW(check_dimensions(spec.dimensions, spec.id));
    const ModelSpec* architecture = catalog.lookup_architecture(spec.architecture);
    REQUIRE(architecture != nullptr);
    CHECK(architecture->dimensions == spec.dimensions);
    CHECK_FALSE(spec.sources.empty());
    CHECK_FALSE(spec.dataset.empty());
    CHECK((spec.num_classes == 0 || spec.num_classes == 1000 || spec.num_classes == 21841));
    CHECK((spec.num_classes == 0) == (spec.task == "features"));
    // Only ImageNet-22k's own heads have 21841 classes.
    CHECK((spec.num_classes == 21841) == (spec.dataset == "imagenet-22k" && spec.task == "classification"));
  }
}

TEST_CASE("an architecture is known by its dimensions") {
  const Catalog& catalog = Catalog::built_in();
  for (const ModelSpec& architecture : catalog.architectures()) {
    CHECK(catalog.architecture_of(architecture.dimensions) == architecture.architecture);
  }
  Dimensions other = catalog.find("swin_tiny_patch4_window7_224.ms_in1k").dimensions;
  other.embed_dim = 24;
  CHECK_FALSE(catalog.architecture_of(other).has_value());
}

TEST_CASE("bare architectures have timm's default classes") {
  const Catalog& catalog = Catalog::built_in();
  const ModelSpec* tiny = catalog.lookup_architecture("swin_tiny_patch4_window7_224");
  REQUIRE(tiny != nullptr);
  CHECK(tiny->id == "swin_tiny_patch4_window7_224");
  CHECK(tiny->num_classes == 1000);
  CHECK(tiny->dimensions.window_size == std::vector<int64_t>{7, 7, 7, 7});
  CHECK(catalog.lookup_architecture("swinv2_base_window12_192")->num_classes == 21841);
  CHECK(catalog.lookup_architecture("swin_tiny_patch244_window877")->num_classes == 0);
  CHECK(catalog.lookup_architecture("swin_s3_small_224")->dimensions.window_size ==
        std::vector<int64_t>{14, 14, 14, 7});
  CHECK(catalog.lookup_architecture("swinv2_tiny_window8_256")->dimensions.pretrained_window_size ==
        std::vector<int64_t>{0, 0, 0, 0});
  CHECK(catalog.lookup_architecture("swinv2_huge") == nullptr);
}

TEST_CASE("published figures are those of their sources") {
  CHECK(top1_of("sayakpaul/swin_tiny_patch4_window7_224", "collection") == std::vector<double>{81.184});
  CHECK(top1_of("sayakpaul/swin_tiny_patch4_window7_224", "authors") == std::vector<double>{81.2});
  CHECK(top1_of("sayakpaul/swin_large_patch4_window12_384", "collection") == std::vector<double>{87.272});
  CHECK(top1_of("swin_base_patch4_window7_224.ms_in1k", "timm") ==
        std::vector<double>{83.604, 87.869, 72.4, 32.644, 35.773, 46.503});
  CHECK(Catalog::built_in().find("sayakpaul/swin_base_patch4_window7_224_in22k").published.empty());
  CHECK(Catalog::built_in().find("swin_base_patch4_window7_224.ms_in22k").published.empty());

  // The collection's page and the authors differ in one top-5.
  const ModelSpec& video = Catalog::built_in().find("swin_base_patch244_window877_kinetics400_1k");
  REQUIRE(video.published.size() == 2);
  CHECK(video.published[0].by == "collection");
  CHECK(video.published[0].top5 == 96.6);
  CHECK(video.published[1].by == "authors");
  CHECK(video.published[1].top5 == 94.6);
}

TEST_CASE("preprocessing is each hub's own") {
  const Catalog& catalog = Catalog::built_in();
  const auto is = [&catalog](const char* name, CropMode mode, double crop_pct) {
    const Preprocessing& preprocessing = catalog.find(name).preprocessing;
    return preprocessing.crop_mode == mode && preprocessing.crop_pct == crop_pct &&
           preprocessing.interpolation == Interpolation::kBicubic;
  };
  CHECK(is("sayakpaul/swin_s3_tiny_224_fe", CropMode::kCenter, 0.875));  // 224 / 0.875 = 256
  CHECK(is("sayakpaul/swin_base_patch4_window12_384", CropMode::kSquash, 1.0));
  CHECK(is("swin_tiny_patch4_window7_224.ms_in1k", CropMode::kCenter, 0.9));
  CHECK(is("swinv2_tiny_window8_256.ms_in1k", CropMode::kCenter, 0.9));
  CHECK(is("swin_base_patch4_window12_384.ms_in1k", CropMode::kCenter, 1.0));
  CHECK(is("microsoft/swin-tiny-patch4-window7-224", CropMode::kSquash, 1.0));
}

TEST_CASE("the kinetics600 entry has both its names") {
  const Catalog& catalog = Catalog::built_in();
  CHECK(catalog.find("swin_base_patch244_window877_kinetics600_22k").id ==
        "shoaib6174/swin_base_patch244_window877_kinetics600_1k");
  CHECK(catalog.find("https://tfhub.dev/shoaib6174/swin_base_patch244_window877_kinetics600_1k/1").id ==
        "shoaib6174/swin_base_patch244_window877_kinetics600_1k");
}

TEST_CASE("an unknown entry is not found but what was meant is told") {
  using Catch::Matchers::Contains;
  const Catalog& catalog = Catalog::built_in();
  CHECK(catalog.lookup("swin_tiny") == nullptr);
  CHECK_THROWS_WITH(catalog.find("microsoft/swin-tiny-patch4-window7-244"),
                    Contains("did you mean 'microsoft/swin-tiny-patch4-window7-224'?"));
  CHECK_THROWS_WITH(catalog.find("swinv2_tiny_window8_256"),
                    Contains("is an architecture") && Contains("swinv2_tiny_window8_256.ms_in1k"));
  try {
    catalog.find("nothing like it");
    FAIL();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kNotFound);
  }
}

TEST_CASE("a user's catalog adds to the built-in one") {
  const Catalog catalog = Catalog::built_in().with(document(), "mine.json");
  CHECK(catalog.entries().size() == Catalog::built_in().entries().size() + 1);
  const ModelSpec& mini = catalog.find("mini");
  CHECK(mini.id == "my/mini");
  CHECK(mini.dimensions.window_size == std::vector<int64_t>{4, 4});
  CHECK(mini.preprocessing.std == std::array<double, 3>{1, 1, 1});
  CHECK(mini.published.at(0).top1 == 12.5);
  CHECK_FALSE(mini.published.at(0).top5.has_value());
  CHECK(Catalog::built_in().lookup("mini") == nullptr);
}

TEST_CASE("a user's catalog may use a built-in architecture and leave its own out") {
  json::value value =
      document("mini_arch\", \"num_classes\": 7", "swin_tiny_patch4_window7_224\", \"num_classes\": 7");
  value.as_object().erase("architectures");
  CHECK(Catalog::built_in().with(value, "mine.json").find("my/mini").dimensions.embed_dim == 96);
}

TEST_CASE("a name that is taken names both rows") {
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(
      Catalog::built_in().with(document("my/mini", "timm/swin_tiny_patch4_window7_224.ms_in1k"), "mine.json"),
      Contains("mine.json: entry \"timm/swin_tiny_patch4_window7_224.ms_in1k\"") &&
          Contains("is taken by built-in catalog: entry \"swin_tiny_patch4_window7_224.ms_in1k\""));
  CHECK(error_of(document("[\"mini\"]", "[\"my/mini\"]")).code() == ErrorCode::kCorrupt);
  CHECK(error_of(document("mini_arch", "swin_tiny_patch4_window7_224")).code() == ErrorCode::kCorrupt);
}

TEST_CASE("malformed catalogs are refused by name") {
  struct Case {
    const char* from;
    const char* to;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"\"license\"", "\"licence\"", "entry \"my/mini\": \"license\" is missing"},
      {"\"license\": \"\"", "\"license\": \"\", \"licenses\": []",
       "unknown key \"licenses\"; did you mean \"license\"?"},
      {"\"id\": \"my/mini\"", "\"id\": 7", "entry number 1: \"id\": expected a string, found 7"},
      {"\"id\": \"my/mini\"", "\"id\": \"\"", "a name is empty"},
      {"\"num_classes\": 7", "\"num_classes\": 7.5", "\"num_classes\": expected a whole number"},
      {"\"num_classes\": 7", "\"num_classes\": -7", "-7 classes do not go with task"},
      {"\"num_classes\": 7", "\"num_classes\": 0", "0 classes do not go with task \"classification\""},
      {"classification", "detection", "found \"detection\""},
      {"\"mini_arch\", \"num", "\"mini_arc\", \"num",
       "no architecture 'mini_arc' in the catalog; did you mean 'mini_arch'?"},
      {"[\"https://example.org/mini.pth\"]", "[]", "\"sources\" is empty"},
      {"\"top1\": 12.5", "\"top1\": 125", "expected a percentage"},
      {"\"crop_pct\": 1.0", "\"crop_pct\": 0", "crop_pct is 0"},
      {"\"std\": [1, 1, 1]", "\"std\": [1, 1]", "expected 3 numbers"},
      {"\"std\": [1, 1, 1]", "\"std\": [1, 0, 1]", "std holds 0"},
      {"\"squash\"", "\"squish\"", "crop mode \"squish\""},
      {"\"bilinear\"", "\"nearest\"", "interpolation \"nearest\""},
      {"\"schema\": 1", "\"schema\": 2", "catalog schema 2"},
      {"\"schema\": 1", "\"schema\": 1, \"entry\": []", "unknown key \"entry\""},
      {"\"swin\"", "\"swan\"", "architecture \"mini_arch\": family is \"swan\""},
      {"\"num_heads\": [1, 2]", "\"num_heads\": [1, 2, 4]", "num_heads has 3 stages, depths has 2"},
      {"\"num_heads\": [1, 2]", "\"num_heads\": [1, 3]",
       "stage 1 has 32 channels, which do not divide by 3 heads"},
      {"\"window_size\": 4", "\"window_size\": [4]", "window_size has 1 stages"},
      {"\"window_size\": 4", "\"window_size\": 0", "window_size holds 0"},
      {"\"depths\": [2, 2]", "\"depths\": []", "depths has 0 stages"},
      {"\"depths\": [2, 2]", "\"depths\": [2, 1025]", "depths holds 1025; expected 1 to 1024"},
      {"\"image_size\": 64", "\"image_size\": 66", "image_size 66 does not divide by patch_size 4"},
      {"\"image_size\": 64", "\"image_size\": 64, \"in_chans\": 4097",
       "patches of 4 x 4 pixels with 4097 channels"},
      {"\"image_size\": 64", "\"image_size\": 9000000000", "image_size is 9000000000"},
      {"\"embed_dim\": 16", "\"embed_dim\": 16, \"frames\": 8", "frames means nothing in family swin"},
      {"\"embed_dim\": 16", "\"embed_dim\": 16, \"mlp_ratio\": -1", "mlp_ratio is -1"},
      {"\"embed_dim\": 16", "\"embed_dim\": 16, \"extra_norm_stage\": true",
       "extra_norm_stage means nothing"},
      {"\"embed_dim\": 16", "\"embed_dim\": 16, \"pretrained_window_size\": 4",
       "pretrained_window_size means nothing"},
      {"\"embed_dim\": 16", "\"embed_dims\": 16", "\"embed_dim\" is missing"},
  };
  for (const Case& bad : cases) {
    const Error error = error_of(document(bad.from, bad.to));
    INFO(bad.to);
    CHECK_THAT(error.what(),
               Catch::Matchers::StartsWith("mine.json") && Catch::Matchers::Contains(bad.message));
    CHECK((error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported));
  }
  CHECK(error_of(json::value(nullptr)).code() == ErrorCode::kCorrupt);
  CHECK(error_of(parse_json(R"({"schema": 1, "entries": [7]})", "document")).code() == ErrorCode::kCorrupt);
}
