#include "zoo/spec_from_tensors.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <ctime>

#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/zoo/made_names.h"

using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

const Catalog& catalog() { return Catalog::built_in(); }

}  // namespace

TEST_CASE("every Swin of the catalog is told from its tensors in every layout") {
  size_t told = 0;
  for (ModelSpec known : catalog().architectures()) {
    if (known.dimensions.family != "swin") continue;
    for (const int64_t classes : {known.num_classes, int64_t{0}}) {
      known.num_classes = classes;
      for (const Layout& layout : layouts_of("swin")) {
        INFO(known.architecture << " in the layout of " << layout.name);
        const auto spec = spec_from_tensors(names_of(known, layout), "a file", catalog());
        REQUIRE(spec);
        CHECK(spec->dimensions == known.dimensions);
        CHECK(spec->num_classes == classes);
        CHECK(spec->preprocessing == known.preprocessing);
        ++told;
      }
    }
  }
  CHECK(told >= 9 * 2 * 4);
}

TEST_CASE("a Swin V2 is told from its tensors as far as they tell it") {
  size_t told = 0, one_of_several = 0;
  for (const ModelSpec& known : catalog().architectures()) {
    const std::string& family = known.dimensions.family;
    if (family != "swinv2" && family != "swinv2_cr") continue;
    for (const Layout& layout : layouts_of(family)) {
      INFO(known.architecture << " in the layout of " << layout.name);
      Names names = names_of(known, layout);
      try {
        const auto spec = spec_from_tensors(names, "a file", catalog());
        CHECK(spec->dimensions == known.dimensions);
        ++told;
      } catch (const Error& error) {  // others differ in their windows only
        CHECK(error.code() == ErrorCode::kUnsupported);
        CHECK_THAT(error.what(), Catch::Contains(known.architecture) && Catch::Contains(" or "));
        ++one_of_several;
      }
    }
  }
  CHECK(told == 8);
  CHECK(one_of_several == 60);
}

TEST_CASE("the table of offsets in the authors' files tells a Swin V2's windows") {
  // What the tables hold at their corner: log2(1 + 8 (window - 1) / (window that scales - 1)) / 3, negative.
  struct Case {
    const char* architecture;
    std::vector<int64_t> windows;
    std::vector<int64_t> scaling;
  };
  const std::vector<Case> kCases = {
      {"swinv2_tiny_window16_256", {16, 16, 16, 8}, {16, 16, 16, 8}},
      {"swinv2_base_window8_256", {8, 8, 8, 8}, {8, 8, 8, 8}},
      {"swinv2_base_window12to16_192to256", {16, 16, 16, 8}, {12, 12, 12, 6}},
      {"swinv2_base_window12to24_192to384", {24, 24, 24, 12}, {12, 12, 12, 6}},
  };
  for (const Case& c : kCases) {
    INFO(c.architecture);
    const ModelSpec& known = *catalog().lookup_architecture(c.architecture);
    Names names = names_of(known, layouts_of("swinv2")[1]);
    for (size_t stage = 0; stage < c.windows.size(); ++stage) {
      const int64_t side = 2 * c.windows[stage] - 1;
      const double scaled =
          8.0 * static_cast<double>(c.windows[stage] - 1) / static_cast<double>(c.scaling[stage] - 1);
      Tensor offsets(DType::kF32, {1, side, side, 2});
      std::ranges::fill(offsets.as<float>(), static_cast<float>(-std::log2(1 + scaled) / 3));
      names.add(fmt::format("layers.{}.blocks.0.attn.relative_coords_table", stage), std::move(offsets));
    }
    const auto spec = spec_from_tensors(names, "a file", catalog());
    CHECK(spec->dimensions == known.dimensions);
    CHECK(spec->architecture == known.architecture);
  }
}

TEST_CASE("a SavedModel's signature tells the image size of a model that the catalog does not know") {
  ModelSpec spec = *catalog().lookup_architecture("swin_tiny_patch4_window7_224");
  spec.dimensions.embed_dim = 24;
  Names names = names_of(spec, layouts_of("swin").back());
  CHECK(code_of([&] { spec_from_tensors(names, "a file", catalog()); }) == ErrorCode::kUnsupported);
  names.metadata_["signature.input_shape"] = "[-1, 224, 224, 3]";
  CHECK(spec_from_tensors(names, "a file", catalog())->dimensions == spec.dimensions);
  names.metadata_["signature.input_shape"] = "[-1, 225, 225, 3]";
  CHECK(code_of([&] { spec_from_tensors(names, "a file", catalog()); }) == ErrorCode::kCorrupt);
}

TEST_CASE("tensors that are no Swin's tell nothing") {
  Names names =
      names_of(*catalog().lookup_architecture("swin_tiny_patch4_window7_224"), layouts_of("swin").front());
  for (TensorInfo& tensor : names.tensors_) {
    if (tensor.name.ends_with("relative_position_bias_table")) tensor.shape[0] = 170;  // no odd square
  }
  CHECK_FALSE(spec_from_tensors(names, "a file", catalog()));
  CHECK_FALSE(spec_from_tensors(Names(), "a file", catalog()));
}

TEST_CASE("hints settle the image size and the architecture where tensors don't") {
  ModelSpec spec = *catalog().lookup_architecture("swin_tiny_patch4_window7_224");
  spec.dimensions.image_size = 160;  // the last stage's map is 5 x 5, and so is its window
  const Names names = names_of(spec, layouts_of("swin").front());
  const auto told = [&](const SpecHints& hints) {
    return spec_from_tensors(names, "a file", catalog(), hints);
  };
  CHECK(code_of([&] { told({}); }) == ErrorCode::kUnsupported);
  CHECK_THROWS_WITH(told({}), Catch::Contains("--img-size"));
  CHECK(told({"", 160})->dimensions.image_size == 160);
  const auto named = told({"swin_tiny_patch4_window7_224", 160});
  CHECK(named->architecture == "swin_tiny_patch4_window7_224");
  CHECK(named->dimensions.window_size == std::vector<int64_t>{7, 7, 7, 7});
  CHECK(named->num_classes == 1000);
  CHECK_THROWS_WITH(told({"swin_tiny_patch4_window7_224", 0}),
                    Catch::Contains("window_size is [7,7,7,5] instead of [7,7,7,7]"));
  CHECK_THROWS_WITH(told({"swin_base_patch4_window7_224", 160}),
                    Catch::Contains("not of swin_base_patch4_window7_224: embed_dim is 96 instead of 128"));
  CHECK(code_of([&] { told({"swin_base_patch4_window7_224", 160}); }) == ErrorCode::kCorrupt);
  CHECK(code_of([&] { told({"swin_minuscule", 160}); }) == ErrorCode::kNotFound);
  CHECK(code_of([&] { told({"", 161}); }) == ErrorCode::kCorrupt);
}

TEST_CASE("a hundred thousand blocks are told without looking through all tensors for each") {
  const ModelSpec& known = catalog().architectures().front();
  Names names = names_of(known, layouts_of(known.dimensions.family).front());
  for (int64_t block = known.dimensions.depths[0]; block < 100'000; ++block) {
    names.tensors_.push_back({fmt::format("layers.0.blocks.{}.norm1.weight", block), DType::kU8, {1}});
  }
  const std::clock_t begin = std::clock();
  CHECK(code_of([&] { spec_from_tensors(names, "a file", catalog()); }) == ErrorCode::kUnsupported);
  CHECK((std::clock() - begin) / CLOCKS_PER_SEC < 20);  // minutes otherwise
}
