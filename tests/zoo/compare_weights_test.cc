#include "zoo/compare_weights.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "formats/atomic_file.h"
#include "formats/half.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::zoo;
using Strings = std::vector<std::string>;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A model's folder, whose tensors can be changed before it is opened.
struct Made {
  TemporaryFolder folder;
  MadeModel model;
  std::vector<MadeTensor> tensors;

  explicit Made(const MadeModel& made = {}) : model(made), tensors(made_tensors(made)) {}

  MadeTensor& tensor(const std::string& name) { return *std::ranges::find(tensors, name, &MadeTensor::name); }
  MatchedModel open(DType dtype = DType::kF32) const {
    write_file(folder.path() / "config.json", to_pretty_json(made_config(model)));
    write_checkpoint(folder.path() / "model.safetensors", tensors, dtype);
    return match_model(open_model(folder.path(), Catalog::built_in()));
  }
};

WeightComparison compare(const Made& a, const Made& b) { return compare_weights(a.open(), b.open()); }

}  // namespace

TEST_CASE("elements are compared bit by bit and those that are not finite counted apart") {
  const std::vector<float> a = {1, -4, 0.0f, kNan, kInfinity, 2, kNan};
  const std::vector<float> b = {1, -3, -0.0f, kNan, 3, kNan, kInfinity};
  const ElementDifference difference = difference_of(a, b);
  CHECK(difference.different == 5);
  CHECK(difference.not_finite == 3);
  CHECK(difference.max_abs == 1);
  CHECK(difference.abs_max == 4);
  CHECK(difference.relative() == 0.25);
  CHECK(difference_of(a, a).different == 0);
  CHECK(difference_of({}, {}).relative() == 0);
}

TEST_CASE("the same weights are the same whatever dtype holds them exactly") {
  const Made made;
  const WeightComparison comparison = compare_weights(made.open(DType::kF32), Made().open(DType::kBF16));
  CHECK(comparison.verdict == Verdict::kSame);
  CHECK(comparison.compared == static_cast<int64_t>(made.tensors.size()));
  CHECK(comparison.different.empty());
  CHECK(comparison.dimensions.empty());
}

TEST_CASE("weights that one side holds rounded are found so from either side") {
  Made whole, f16, bf16, both;
  MadeTensor& odd = whole.tensor("layers.1.blocks.0.attn.qkv.weight");
  for (size_t i = 0; i < odd.values.size(); ++i) odd.values[i] = 0.1f * static_cast<float>(i + 1);
  odd.values[0] = kNan;
  odd.values[1] = 1e6f;  // infinite in F16
  f16.tensor(odd.name).values = odd.values;
  for (float& value : f16.tensor(odd.name).values) value = rounded_to_f16(value);
  bf16.tensor(odd.name).values = odd.values;
  for (float& value : bf16.tensor(odd.name).values) value = rounded_to_bf16(value);

  WeightComparison comparison = compare(whole, f16);
  CHECK(comparison.verdict == Verdict::kSameAfterF16);
  CHECK_FALSE(comparison.a_is_rounded);
  REQUIRE(comparison.different.size() == 1);
  CHECK(comparison.different[0].name == odd.name);
  CHECK(compare(f16, whole).verdict == Verdict::kSameAfterF16);
  CHECK(compare(f16, whole).a_is_rounded);
  CHECK(compare(whole, bf16).verdict == Verdict::kSameAfterBF16);
  CHECK(compare(f16, bf16).verdict == Verdict::kDifferent);

  // A tensor rounded to F16 and another one to BF16 is no rounding of the whole.
  both.tensor(odd.name).values = f16.tensor(odd.name).values;
  MadeTensor& second = whole.tensor("norm.weight");
  for (float& value : second.values) value = 0.3f;
  for (float& value : both.tensor(second.name).values) value = rounded_to_bf16(0.3f);
  CHECK(compare(whole, both).verdict == Verdict::kDifferent);
}

TEST_CASE("each tensor that differs is named with how much") {
  Made a, b;
  b.tensor("norm.bias").values[3] += 0.5f;
  b.tensor("head.fc.weight").values[0] = kNan;
  const WeightComparison comparison = compare(a, b);
  CHECK(comparison.verdict == Verdict::kDifferent);
  REQUIRE(comparison.different.size() == 2);
  CHECK(comparison.different[0].name == "norm.bias");
  CHECK(comparison.different[0].elements.different == 1);
  CHECK(comparison.different[0].elements.max_abs == 0.5);
  CHECK(comparison.different[1].name == "head.fc.weight");
  CHECK(comparison.different[1].elements.not_finite == 1);
  CHECK(comparison.different[1].elements.max_abs == 0);
}

TEST_CASE("tensors that only one has or has in another shape make models different") {
  const Made a({.num_classes = 5});
  const WeightComparison heads = compare(a, Made({.num_classes = 3}));
  CHECK(heads.verdict == Verdict::kDifferent);
  REQUIRE(heads.reshaped.size() == 2);
  CHECK(heads.reshaped[0].name == "head.fc.weight");
  CHECK(heads.reshaped[0].a == Shape{5, 64});
  CHECK(heads.reshaped[0].b == Shape{3, 64});
  REQUIRE(heads.dimensions.size() == 1);
  CHECK(heads.dimensions[0].name == "num_classes");
  CHECK(heads.dimensions[0].a == "5");
  CHECK(heads.dimensions[0].b == "3");

  const WeightComparison headless = compare(a, Made({.num_classes = 0}));
  CHECK(headless.only_in_a == Strings{"head.fc.weight", "head.fc.bias"});
  CHECK(headless.only_in_b.empty());
  CHECK(headless.different.empty());
  CHECK(headless.verdict == Verdict::kDifferent);
}

TEST_CASE("tensors that the file lacks or that its model does not expect are compared as such") {
  Made lacking, surplus;
  lacking.tensors.pop_back();
  lacking.tensor("norm.bias").shape = {8, 8};
  surplus.tensors.push_back({"surplus", {1}, {1}});
  const WeightComparison comparison = compare(lacking, surplus);
  CHECK(comparison.verdict == Verdict::kDifferent);
  CHECK(comparison.only_in_a.empty());
  CHECK(comparison.only_in_b == Strings{"norm.bias", "head.fc.bias", "surplus"});
  CHECK(compare(surplus, surplus).verdict == Verdict::kSame);
}

TEST_CASE("models of other image sizes may have the same weights") {
  const WeightComparison comparison = compare(Made(), Made({.image_size = 64}));
  REQUIRE_FALSE(comparison.dimensions.empty());
  CHECK(comparison.dimensions[0].name == "image_size");
  CHECK(comparison.dimensions[0].a == "32");
}
