#include "zoo/weights.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/made_model.h"
#include "tests/process.h"
#include "zoo/architecture.h"

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
  const WeightMatch match = match_weights(made.plan, *checkpoint);
  CHECK(match.fits());
  CHECK_NOTHROW(require_fit(match, "it"));
  REQUIRE(match.tensors.size() == made.plan.weights.size());
  for (size_t i = 0; i < match.tensors.size(); ++i) {
    CHECK(checkpoint->tensors()[static_cast<size_t>(match.tensors[i])].name == made.plan.weights[i].name);
  }
}

TEST_CASE("all that does not fit is named at once") {
  Fixture made;
  made.tensor("norm.weight").name = "norm.wieght";
  made.tensor("layers.0.blocks.0.attn.qkv.bias").name = "extra";
  made.tensor("head.fc.weight").shape = {8, 40};
  const WeightMatch match = match_weights(made.plan, *made.write());
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
  const WeightMatch match = match_weights(made.plan, *made.write());
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
  const WeightMatch match = match_weights(made.plan, *made.write());
  CHECK(match.fits());
  CHECK(match.buffers ==
        Strings{"layers.0.blocks.0.attn.relative_position_index", "layers.0.blocks.1.attn_mask"});
}

TEST_CASE("weights are views of the map in float32 and converted copies else") {
  Fixture made;
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    const auto checkpoint = made.write(dtype);
    const Weights weights(made.plan, *checkpoint, match_weights(made.plan, *checkpoint));
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
