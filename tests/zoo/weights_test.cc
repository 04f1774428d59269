#include "zoo/weights.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/made_model.h"
#include "tests/process.h"
#include "zoo/architecture.h"
#include "zoo/name_map.h"

using namespace swinzoo;
using namespace swinzoo::zoo;
using Strings = std::vector<std::string>;

namespace {

struct Fixture {
  TemporaryFolder folder;
  backends::Plan plan = build_plan(made_spec({}));
  std::vector<MadeTensor> tensors = made_tensors({});

  MadeTensor& tensor(const std::string& name) {
    return *std::find_if(tensors.begin(), tensors.end(), [&](const MadeTensor& t) { return t.name == name; });
  }
  std::unique_ptr<Checkpoint> write(DType dtype = DType::kF32) const {
    write_checkpoint(folder.path() / "a.safetensors", tensors, dtype);
    return open_checkpoint(folder.path() / "a.safetensors");
  }
};

}  // namespace

TEST_CASE("a checkpoint that has every weight fits whatever its order") {
  Fixture made;
  std::ranges::reverse(made.tensors);
  const auto checkpoint = made.write();
  const WeightMatch match = match_weights(made.plan, "swin", *checkpoint);
  CHECK(match.fits());
  CHECK(match.layout == "timm");
  CHECK_NOTHROW(require_fit(match, "it"));
  REQUIRE(match.tensors.size() == made.plan.weights.size());
  for (size_t i = 0; i < match.tensors.size(); ++i) {
    REQUIRE(match.tensors[i].size() == 1);
    CHECK(checkpoint->tensors()[static_cast<size_t>(match.tensors[i][0])].name == made.plan.weights[i].name);
  }
}

TEST_CASE("all that does not fit is named at once") {
  Fixture made;
  made.tensor("norm.weight").name = "norm.wieght";
  made.tensor("layers.0.blocks.0.attn.qkv.bias").name = "extra";
  made.tensor("head.fc.weight").shape = {8, 40};
  const WeightMatch match = match_weights(made.plan, "swin", *made.write());
  CHECK(match.missing == Strings{"layers.0.blocks.0.attn.qkv.bias", "norm.weight"});
  CHECK(match.unexpected == Strings{"extra", "norm.wieght"});
  CHECK(match.misshaped == Strings{"head.fc.weight is [8, 40] instead of [5, 64]"});
  CHECK(code_of([&] { require_fit(match, "a.safetensors"); }) == ErrorCode::kCorrupt);
  CHECK_THROWS_WITH(require_fit(match, "a.safetensors"),
                    Catch::StartsWith("a.safetensors: ") && Catch::Contains("2 missing: ") &&
                        Catch::Contains("layers.0.blocks.0.attn.qkv.bias, norm.weight") &&
                        Catch::Contains("1 of another shape: head.fc.weight is [8, 40] instead of [5, 64]") &&
                        Catch::Contains("2 unexpected: extra, norm.wieght"));
}

TEST_CASE("a message about very many tensors ends") {
  Fixture made;
  for (MadeTensor& tensor : made.tensors) tensor.name += "?";
  const WeightMatch match = match_weights(made.plan, "swin", *made.write());
  CHECK(match.missing.size() == made.plan.weights.size());
  CHECK_THROWS_WITH(
      require_fit(match, "it"),
      Catch::Contains(fmt::format("{} missing: ", made.plan.weights.size())) && Catch::EndsWith(", ..."));
}

TEST_CASE("buffers that are computed are left out by rule and reported") {
  Fixture made;
  made.tensors.push_back(
      {"layers.0.blocks.0.attn.relative_position_index", {16, 16}, std::vector<float>(256)});
  made.tensors.push_back({"layers.0.blocks.1.attn_mask", {4, 16, 16}, std::vector<float>(1024)});
  const WeightMatch match = match_weights(made.plan, "swin", *made.write());
  CHECK(match.fits());
  CHECK(match.buffers ==
        Strings{"layers.0.blocks.0.attn.relative_position_index", "layers.0.blocks.1.attn_mask"});
}

TEST_CASE("weights are views of the map in float32 and converted copies else") {
  Fixture made;
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    const auto checkpoint = made.write(dtype);
    const Weights weights(made.plan, *checkpoint, match_weights(made.plan, "swin", *checkpoint));
    REQUIRE(weights.views().size() == made.tensors.size());
    for (size_t i = 0; i < made.tensors.size(); ++i) {
      CHECK(weights.views()[i].shape == made.tensors[i].shape);
      CHECK(std::ranges::equal(weights.views()[i].as<float>(), made.tensors[i].values));
      Tensor scratch;
      const bool in_place = weights.views()[i].bytes.data() == checkpoint->read(i, scratch).bytes.data();
      CHECK(in_place == (dtype == DType::kF32));
    }
  }
}

TEST_CASE("the authors' layout has a stage's merging at its end") {
  Fixture made;
  const std::vector<MadeTensor> canonical = made.tensors;
  for (MadeTensor& tensor : made.tensors) {
    for (int stage = 1; stage < 4; ++stage) {
      const std::string here = fmt::format("layers.{}.downsample", stage);
      if (tensor.name.starts_with(here)) {
        tensor.name.replace(0, here.size(), fmt::format("layers.{}.downsample", stage - 1));
        break;
      }
    }
    if (tensor.name.starts_with("head.fc.")) tensor.name.erase(4, 3);
  }
  const auto checkpoint = made.write();
  const WeightMatch match = match_weights(made.plan, "swin", *checkpoint);
  CHECK(match.layout == "authors");
  REQUIRE(match.fits());
  const Weights weights(made.plan, *checkpoint, match);
  for (size_t i = 0; i < canonical.size(); ++i) {
    CHECK(std::ranges::equal(weights.views()[i].as<float>(), canonical[i].values));
  }
}

TEST_CASE("q k and v of transformers are joined") {
  Fixture made;
  const std::vector<MadeTensor> canonical = made.tensors;
  const Layout& layout = *std::ranges::find(layouts_of("swin"), "transformers", &Layout::name);
  std::vector<MadeTensor> parts;
  for (const MadeTensor& tensor : canonical) {
    const std::vector<std::string> names = place_in(layout, tensor.name, tensor.shape).names;
    const size_t size = tensor.values.size() / names.size();
    for (size_t i = 0; i < names.size(); ++i) {
      const auto begin = tensor.values.begin() + static_cast<ptrdiff_t>(i * size);
      parts.push_back({names[i], tensor.shape, {begin, begin + static_cast<ptrdiff_t>(size)}});
      parts.back().shape[0] /= static_cast<int64_t>(names.size());
    }
  }
  made.tensors = parts;
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    const auto checkpoint = made.write(dtype);
    const WeightMatch match = match_weights(made.plan, "swin", *checkpoint);
    CHECK(match.layout == "transformers");
    REQUIRE(match.fits());
    const Weights weights(made.plan, *checkpoint, match);
    for (size_t i = 0; i < canonical.size(); ++i) {
      CHECK(weights.views()[i].shape == canonical[i].shape);
      CHECK(std::ranges::equal(weights.views()[i].as<float>(), canonical[i].values));
    }
  }
}

TEST_CASE("names are mapped by their beginning up to a dot") {
  const Layout layout{
      "made",
      {{"layers.{s}.down", {"stage{p}/down"}}, {"norm", {"last"}}, {"a.{b}", {"x{b}", "y{b}"}}},
      false};
  CHECK(place_in(layout, "layers.12.down.norm.weight", {2}).names == Strings{"stage11/down.norm.weight"});
  CHECK(place_in(layout, "layers.1.downsample.weight", {2}).names == Strings{"layers.1.downsample.weight"});
  CHECK(place_in(layout, "norm.bias", {2}).names == Strings{"last.bias"});
  CHECK(place_in(layout, "norm1.bias", {2}).names == Strings{"norm1.bias"});
  CHECK(place_in(layout, "norm", {2}).names == Strings{"last"});
  CHECK(place_in(layout, "a.7.w", {2}).names == Strings{"x7.w", "y7.w"});
  CHECK(place_in(layout, "a.b.w", {2}).names == Strings{"a.b.w"});
}
