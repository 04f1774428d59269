// swinzoo inspect of what other formats and layouts hold, and of two checkpoints; by the real binary.
#include <algorithm>
#include <catch2/catch.hpp>

#include "formats/atomic_file.h"
#include "formats/half.h"
#include "tests/cmd/results.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

struct Fixture {
  TemporaryFolder folder;
  std::string a = folder.path() / "a";
  std::string b = folder.path() / "b";

  Fixture() { write_model(a); }

  void write_b(const std::vector<MadeTensor>& tensors) const {
    write_model(b);
    write_checkpoint(b + "/model.safetensors", tensors);
  }
};

MadeTensor& tensor(std::vector<MadeTensor>& tensors, const std::string& name) {
  return *std::ranges::find(tensors, name, &MadeTensor::name);
}

json::object compare(const Fixture& made, int status) {
  const Result result = run_swinzoo({"inspect", made.a, made.b, "--json"});
  CHECK(result.status == status);
  return results_of(result).front().as_object();
}

}  // namespace

TEST_CASE("inspect shows what of the model each tensor is") {
  const Fixture made;
  std::vector<MadeTensor> tensors = made_tensors({});
  tensor(tensors, "head.fc.weight").name = "head.weight";
  tensor(tensors, "head.fc.bias").name = "head.bias";
  for (const char* part : {"norm.weight", "norm.bias", "reduction.weight"}) {
    for (int stage = 1; stage < 4; ++stage) {
      tensor(tensors, "layers." + std::to_string(stage) + ".downsample." + part).name =
          "layers." + std::to_string(stage - 1) + ".downsample." + part;
    }
  }
  tensors.push_back({"layers.0.blocks.1.attn_mask", {1}, {0}});
  tensors.push_back({"surplus", {1}, {0}});
  made.write_b(tensors);
  const json::object result = results_of(run_swinzoo({"inspect", made.b, "--json"})).front().as_object();
  CHECK(result.at("layout") == "authors");
  CHECK(result.at("architecture") == "swin_tiny_patch4_window7_224");
  const auto canonical = [&](const std::string& name) {
    for (const json::value& row : result.at("tensors").as_array()) {
      if (row.at("name") == json::value(name)) return row.at("canonical");
    }
    FAIL(name);
    return json::value();
  };
  CHECK(canonical("head.weight") == "head.fc.weight");
  CHECK(canonical("layers.0.downsample.norm.bias") == "layers.1.downsample.norm.bias");
  CHECK(canonical("norm.weight") == "norm.weight");
  CHECK(canonical("surplus").is_null());
  CHECK(canonical("layers.0.blocks.1.attn_mask").is_null());
  CHECK(result.at("unexpected") == json::value{"surplus"});
  CHECK(result.at("buffers") == json::value{"layers.0.blocks.1.attn_mask"});
  const Result text = run_swinzoo({"inspect", made.b});
  CHECK_THAT(text.out, Contains("canonical name") && Contains("layout: authors") && Contains("surplus"));
  CHECK_THAT(run_swinzoo({"inspect", made.a}).out, !Contains("canonical name"));
}

TEST_CASE("inspect shows the parts and axes of weights that are joined and transposed") {
  const std::string index = std::string(SWINZOO_TEST_DATA) + "/formats/swin_mini.index";
  const Result damaged = run_swinzoo({"inspect", index});  // its shard is not there
  CHECK(damaged.status == 3);

  const TemporaryFolder folder;
  write_model(folder.path());
  std::vector<MadeTensor> tensors;
  for (MadeTensor& whole : made_tensors({})) {
    if (whole.name.find("attn.qkv") == std::string::npos) continue;
    const std::string stem =
        "swin.encoder." + whole.name.substr(0, whole.name.find("attn")) + "attention.self.";
    const std::string ending = whole.name.substr(whole.name.rfind('.'));
    Shape shape = whole.shape;
    shape[0] /= 3;
    const size_t size = whole.values.size() / 3;
    int part = 0;
    for (const char* name : {"query", "key", "value"}) {
      const auto begin = whole.values.begin() + static_cast<ptrdiff_t>(size) * part++;
      tensors.push_back({stem + name + ending, shape, {begin, begin + static_cast<ptrdiff_t>(size)}});
    }
  }
  write_checkpoint(folder.path() / "model.safetensors", tensors);
  const json::object result =
      results_of(run_swinzoo({"inspect", folder.path(), "--json"})).front().as_object();
  CHECK(result.at("layout") == "transformers");
  const json::value& key = result.at("tensors").as_array()[1];
  CHECK(key.at("name") == "swin.encoder.layers.0.blocks.0.attention.self.key.weight");
  CHECK(key.at("canonical") == "layers.0.blocks.0.attn.qkv.weight");
  CHECK(key.at("canonical_rows") == json::value{8, 16});
  CHECK_THAT(run_swinzoo({"inspect", folder.path()}).out,
             Contains("layers.0.blocks.0.attn.qkv.weight[8:16]"));
}

TEST_CASE("inspect says where the final norm is the identity") {
  const Fixture made;
  std::vector<MadeTensor> tensors = made_tensors({});
  std::ranges::fill(tensor(tensors, "norm.weight").values, 1.0f);
  std::ranges::fill(tensor(tensors, "norm.bias").values, 0.0f);
  made.write_b(tensors);
  const std::string said = "norm is the identity (weight 1, bias 0)";
  CHECK_THAT(run_swinzoo({"inspect", made.b}).out, Contains(said));
  CHECK_THAT(run_swinzoo({"inspect", made.a}).out, !Contains(said));
  CHECK(results_of(run_swinzoo({"inspect", made.b, "--json"}))[0].at("notes").as_array().size() == 1);
  CHECK_THAT(run_swinzoo({"info", made.b}).out, Contains(said));
  CHECK_THAT(run_swinzoo({"info", made.a}).out, !Contains("identity"));
}

TEST_CASE("info notes the final norm of the exports that are said to have none") {
  const Result exported = run_swinzoo({"info", "sayakpaul/swin_tiny_patch4_window7_224_fe"});
  CHECK(exported.status == 0);
  CHECK_THAT(exported.out, Contains("final norm is said to be the identity"));
  const json::array other =
      results_of(run_swinzoo({"info", "sayakpaul/swin_tiny_patch4_window7_224", "--json"}));
  CHECK(other[0].at("notes").as_array().empty());
}

TEST_CASE("inspect of two files with the same weights ends in 0") {
  const Fixture made;
  REQUIRE(run_swinzoo({"convert", made.a, "-o", made.b}).status == 0);
  const Result text = run_swinzoo({"inspect", made.a, made.b});
  CHECK(text.status == 0);
  CHECK(text.err.empty());
  CHECK_THAT(text.out, Contains("same weights"));
  const json::object result = compare(made, 0);
  CHECK(result.at("verdict") == "same weights");
  CHECK(result.at("compared") == json::value(made_tensors({}).size()));
  CHECK(result.at("a").at("file") == json::value(made.a));
  for (const char* list : {"different", "reshaped", "only_in_a", "only_in_b"}) {
    CHECK(result.at(list).as_array().empty());
  }
  CHECK(result.at("dimensions").as_object().empty());
}

TEST_CASE("inspect of weights and the same rounded ends in 0") {
  const Fixture made;
  std::vector<MadeTensor> tensors = made_tensors({});
  for (float& value : tensor(tensors, "norm.weight").values) value = 0.1f;
  made.write_b(tensors);
  write_checkpoint(made.a + "/model.safetensors", tensors);
  for (float& value : tensor(tensors, "norm.weight").values) value = rounded_to_f16(value);
  write_checkpoint(made.b + "/model.safetensors", tensors);
  const json::object result = compare(made, 0);
  CHECK(result.at("verdict") == "same after rounding to f16");
  CHECK(result.at("rounded") == "b");
  CHECK_THAT(run_swinzoo({"inspect", made.b, made.a}).out,
             Contains("same after rounding to f16") && Contains("1 of ") && Contains("rounded in A"));
}

TEST_CASE("inspect of two files with different weights ends in 1 and says which and by how much") {
  const Fixture made;
  std::vector<MadeTensor> tensors = made_tensors({});
  tensor(tensors, "norm.bias").values[3] += 0.5f;
  tensors.push_back({"surplus", {1}, {0}});
  made.write_b(tensors);
  const Result text = run_swinzoo({"inspect", made.a, made.b});
  CHECK(text.status == 1);
  CHECK_THAT(text.out, Contains("different: 1 of the ") && Contains("norm.bias") && Contains("0.5") &&
                           Contains("only in B: surplus"));
  CHECK_THAT(text.err, Contains(made.a) && Contains(made.b) && Contains("different weights"));
  const json::object result = compare(made, 1);
  CHECK(result.at("verdict") == "different");
  REQUIRE(result.at("different").as_array().size() == 1);
  const json::object& different = result.at("different").as_array()[0].as_object();
  CHECK(different.at("name") == "norm.bias");
  CHECK(different.at("different") == 1);
  CHECK(different.at("elements") == 64);
  CHECK(as_number(different.at("max_abs_difference"), "it") == 0.5);
  CHECK(result.at("only_in_b") == json::value{"surplus"});
}

TEST_CASE("inspect of two says plainly in what the architectures differ") {
  const Fixture made;
  write_model(made.b, {.num_classes = 3});
  const Result text = run_swinzoo({"inspect", made.a, made.b});
  CHECK(text.status == 1);
  CHECK_THAT(text.out, Contains("the architectures differ in num_classes: 5 in A, 3 in B") &&
                           Contains("head.fc.weight is [5, 64] in A, [3, 64] in B"));
  CHECK(compare(made, 1).at("dimensions") == json::value({{"num_classes", {5, 3}}}));
}

TEST_CASE("inspect of two takes an architecture that a file does not tell to be the other's") {
  const Fixture made;
  const std::string bare = made.folder.path() / "bare.safetensors";
  write_checkpoint(bare, made_tensors({}));
  const Result result = run_swinzoo({"inspect", bare, made.a});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("don't tell the architecture") && Contains("same weights"));
  CHECK(run_swinzoo({"inspect", made.a, bare}).status == 0);
  CHECK(run_swinzoo({"inspect", bare, bare}).status == 7);
}

TEST_CASE("inspect of two ends in 3 and 5 as of one") {
  const Fixture made;
  CHECK(run_swinzoo({"inspect", made.a, made.b}).status == 3);
  write_model(made.b);
  write_file(made.b + "/model.safetensors", "cut");
  CHECK(run_swinzoo({"inspect", made.a, made.b}).status == 5);
}
