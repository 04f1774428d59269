// swinzoo verify, by the real binary.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "formats/checkpoint.h"
#include "formats/safetensors.h"
#include "tests/cmd/results.h"
#include "tests/has_precision.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

const std::string kGolden = std::string(SWINZOO_TEST_DATA) + "/golden/swin_mini_224";

struct Fixture {
  TemporaryFolder folder;
  std::string model = folder.path() / "mini";
  std::string good = folder.path() / "good.safetensors";
  std::string bad = folder.path() / "bad.safetensors";

  Fixture() {
    write_model(model);
    REQUIRE(run_swinzoo({"convert", model, "-o", good}).status == 0);
  }

  // `bad` is `good` with one byte of a tensor's first element changed.
  void damage(const std::string& name, int byte, char bits) const {
    fs::copy_file(good, bad, fs::copy_options::overwrite_existing);
    const auto file = open_checkpoint(good);
    Tensor scratch;
    const TensorView first = file->read(0, scratch);
    const TensorView view = file->read(static_cast<size_t>(file->find(name)), scratch);
    int64_t bytes = 0;
    for (const TensorInfo& tensor : file->tensors()) bytes += element_count(tensor.shape) * 4;
    const auto data = static_cast<int64_t>(fs::file_size(good)) - bytes;
    const auto offset = data + (view.bytes.data() - first.bytes.data()) + byte;
    std::fstream stream(bad, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(offset);
    const char before = static_cast<char>(stream.get());
    stream.seekp(offset);
    stream.put(static_cast<char>(before ^ bits));
  }
};

json::object verify(std::vector<std::string> arguments, int status) {
  arguments.insert(arguments.begin(), "verify");
  arguments.push_back("--json");
  const Result result = run_swinzoo(arguments);
  CHECK(result.status == status);
  return results_of(result).front().as_object();
}

}  // namespace

TEST_CASE("verify finds the digests of a converted file right") {
  const Fixture made;
  const Result text = run_swinzoo({"verify", made.good});
  CHECK(text.status == 0);
  CHECK(text.err.empty());
  const std::string count = std::to_string(made_tensors({}).size());
  CHECK_THAT(text.out,
             Contains(made.good) && Contains(count + " of " + count + " agree") && Contains("sha256:"));
  const json::object result = verify({made.good}, 0);
  CHECK(result.at("ok") == true);
  CHECK(result.at("digests").at("mismatches").as_array().empty());
  CHECK(result.at("weights_digest") == verify({made.model}, 0).at("weights_digest"));
}

TEST_CASE("verify of a file without digests says so") {
  const Fixture made;
  CHECK_THAT(run_swinzoo({"verify", made.model}).out, Contains("carries none"));
  const json::object result = verify({made.model}, 0);
  CHECK(result.at("digests").at("carried") == 0);
  CHECK(result.at("checksums").is_null());
}

TEST_CASE("verify of a damaged file names the tensor and its step and ends in 5") {
  const Fixture made;
  made.damage("layers.0.blocks.1.mlp.fc1.weight", 0, 1);
  const Result text = run_swinzoo({"verify", made.bad});
  CHECK(text.status == 5);
  CHECK_THAT(text.out, Contains("layers.0.blocks.1.mlp.fc1.weight (step layers.0.blocks.1.mlp)"));
  CHECK_THAT(text.err, Contains(made.bad) && Contains("layers.0.blocks.1.mlp.fc1.weight"));
  const json::object result = verify({made.bad}, 5);
  CHECK(result.at("ok") == false);
  const json::array& mismatches = result.at("digests").at("mismatches").as_array();
  REQUIRE(mismatches.size() == 1);
  CHECK(mismatches[0].at("name") == "layers.0.blocks.1.mlp.fc1.weight");
  CHECK(mismatches[0].at("steps") == json::value{"layers.0.blocks.1.mlp"});
}

TEST_CASE("verify against the reference compares every step") {
  const Fixture made;
  const Result text = run_swinzoo({"verify", made.good, "--against", "reference"});
  CHECK(text.status == 0);
  CHECK_THAT(text.out, Contains("all agree within 0.0001") && !Contains("patch_embed"));
  const Result table = run_swinzoo({"verify", made.good, "--against", "reference", "-v"});
  CHECK_THAT(table.out, Contains("patch_embed") && Contains("layers.3.blocks.0.mlp") && Contains("head.fc"));
  const json::object result =
      verify({made.model, "--against", "reference", "--seed", "3", "--threads", "1"}, 0);
  CHECK(result.at("first_divergence").is_null());
  const json::array& steps = result.at("steps").as_array();
  CHECK(steps.size() == 1 + 5 * 3 + 3 + 3);  // embedding, blocks (attention twice), mergings, the end
  for (const json::value& step : steps) CHECK(as_number(step.at("relative"), "error") < 1e-4);
}

TEST_CASE("verify ends in 5 where a step is farther off than allowed") {
  const Fixture made;
  const Result text = run_swinzoo({"verify", made.good, "--against", "reference", "--tolerance", "0"});
  CHECK(text.status == 5);
  CHECK_THAT(text.out, Contains("the first that diverges is "));
  CHECK_THAT(text.err, Contains("diverges from reference"));
}

TEST_CASE("verify against a good model names the step that owns a damaged tensor") {
  const Fixture made;
  for (const std::string name :
       {"patch_embed.proj.weight", "layers.0.blocks.1.attn.relative_position_bias_table",
        "layers.2.blocks.0.attn.qkv.weight", "layers.3.downsample.reduction.weight",
        "layers.3.blocks.0.mlp.fc2.bias", "norm.weight", "head.fc.bias"}) {
    INFO(name);
    made.damage(name, 3, 0x40);
    const json::object result = verify({made.bad, "--against", made.good}, 5);
    const json::array& different = result.at("different").as_array();
    REQUIRE(different.size() == 1);
    CHECK(different[0].at("name") == json::value(name));
    CHECK(result.at("first_divergence") == different[0].at("steps").as_array()[0]);
    const Result text = run_swinzoo({"verify", made.bad, "--against", made.good});
    CHECK_THAT(text.out,
               Contains("the first that diverges is " + as_string(result.at("first_divergence"), "step")));
    CHECK_THAT(text.out, Contains(name + " (step "));
  }
}

TEST_CASE("verify against another copy of the same weights finds all equal") {
  const Fixture made;
  const json::object result = verify({made.model, "--against", made.good}, 0);
  CHECK(result.at("verdict") == "same weights");
  for (const json::value& step : result.at("steps").as_array()) CHECK(step.at("relative") == 0);
  CHECK_THAT(run_swinzoo({"verify", made.model, "--against", made.good}).out, Contains("are equal"));
}

TEST_CASE("verify against a model of another architecture ends in 5") {
  const Fixture made;
  const std::string other = made.folder.path() / "other";
  write_model(other, {.num_classes = 3});
  const Result result = run_swinzoo({"verify", made.good, "--against", other});
  CHECK(result.status == 5);
  CHECK_THAT(result.err, Contains("head.fc: expected [3], found [5]"));
}

TEST_CASE("verify against runs on an input that is given") {
  const TemporaryFolder folder;
  const json::object result =
      verify({kGolden, "--against", "reference", "--input", kGolden + "/input.safetensors"}, 0);
  CHECK(result.at("first_divergence").is_null());
  const Fixture made;
  CHECK(
      run_swinzoo({"verify", made.good, "--against", "reference", "--input", kGolden + "/input.safetensors"})
          .status == 2);  // of another size
  CHECK(run_swinzoo({"verify", made.good, "--against", "reference", "--input", "/no/such/file.npy"}).status ==
        3);
}

TEST_CASE("verify --golden compares what the golden holds on one backend or both") {
  const json::object one = verify({kGolden, "--golden", kGolden}, 0);
  const size_t outputs = one.at("outputs").as_array().size();
  CHECK(outputs == open_checkpoint(kGolden + "/expected.safetensors")->tensors().size());
  CHECK(one.at("outputs").as_array()[0].at("backend") == "cpu");
  const json::object both = verify({kGolden, "--golden", kGolden, "--backend", "both"}, 0);
  CHECK(both.at("outputs").as_array().size() == 2 * outputs);
  for (const json::value& row : both.at("outputs").as_array())
    CHECK(as_number(row.at("relative"), "it") < 1e-4);
  const Result text = run_swinzoo({"verify", kGolden, "--golden", kGolden});
  CHECK_THAT(text.out,
             Contains("logits") && Contains("attention.7") && Contains("cpu") && !Contains("reference"));
}

TEST_CASE("verify --golden ends in 5 where an output is off or of another shape") {
  const Fixture made;
  const fs::path golden = made.folder.path() / "golden";
  fs::create_directory(golden);
  fs::copy_file(kGolden + "/input.safetensors", golden / "input.safetensors");
  const auto expected = open_checkpoint(kGolden + "/expected.safetensors");
  const auto write = [&](const Shape& shape, float add) {
    Tensor scratch;
    Tensor logits = copy_of(expected->read(static_cast<size_t>(expected->find("logits")), scratch));
    logits.as<float>()[0] += add;
    logits.reshape(shape);
    SafetensorsWriter writer(golden / "expected.safetensors", {{"logits", DType::kF32, shape}}, {});
    writer.write(logits.view());
    writer.commit();
  };
  const Shape shape = expected->tensors()[static_cast<size_t>(expected->find("logits"))].shape;
  write(shape, 0);
  CHECK(run_swinzoo({"verify", kGolden, "--golden", golden}).status == 0);
  write(shape, 0.01f);
  const Result off = run_swinzoo({"verify", kGolden, "--golden", golden});
  CHECK(off.status == 5);
  CHECK_THAT(off.err, Contains("logits on cpu: off by "));
  CHECK(run_swinzoo({"verify", kGolden, "--golden", golden, "--tolerance", "0.1"}).status == 0);
  write({shape[0] * shape[1]}, 0);
  const json::object misshaped = verify({kGolden, "--golden", golden}, 5);
  CHECK_THAT(as_string(misshaped.at("outputs").as_array()[0].at("mismatch"), "it"), Contains("expected ["));
  fs::remove(golden / "expected.safetensors");
  CHECK(run_swinzoo({"verify", kGolden, "--golden", golden}).status == 3);
}

TEST_CASE("verify --golden of tensors that no model gives ends in 3") {
  const TemporaryFolder folder;
  fs::copy_file(kGolden + "/input.safetensors", folder.path() / "input.safetensors");
  fs::copy_file(kGolden + "/input.safetensors", folder.path() / "expected.safetensors");
  const Result result = run_swinzoo({"verify", kGolden, "--golden", folder.path()});
  CHECK(result.status == 3);
  CHECK_THAT(result.err, Contains("holds no output"));
}

TEST_CASE("verify --precision compares with fp32, or ends in 7 where the CPU lacks it") {
  const std::string x = kGolden + "/input.safetensors";
  if (!has_precision(backends::Precision::kBf16)) {
    const Result refused = run_swinzoo({"verify", kGolden, "--precision", "bf16"});
    CHECK(refused.status == 7);
    CHECK(refused.out.empty());
    CHECK(run_swinzoo({"verify", kGolden, "--precision", "bf16", "--input", x}).status == 7);
    return;
  }
  const Result text = run_swinzoo({"verify", kGolden, "--precision", "bf16"});
  CHECK_THAT(text.out, Contains("on 16 inputs") && Contains("logits: ") && Contains("of 16 flipped"));
  const json::object result = verify({kGolden, "--precision", "bf16", "--input", x}, text.status);
  CHECK(result.at("precision") == "bf16");
  CHECK(result.at("inputs") == 2);
  CHECK(as_int(result.at("flipped_top1"), "flipped") <= 2);
  CHECK(result.at("tolerance") == 0.015);
  const json::array& outputs = result.at("outputs").as_array();
  REQUIRE(outputs.size() == 3);
  CHECK(outputs[0].at("output") == "logits");
  const double error = as_number(outputs[0].at("relative"), "error");
  CHECK(error > 0);
  CHECK((error <= 0.015) == (result.at("ok") == true));
}

TEST_CASE("verify --precision fp32 is what it does anyway") {
  CHECK(run_swinzoo({"verify", kGolden, "--precision", "fp32"}).out == run_swinzoo({"verify", kGolden}).out);
}

TEST_CASE("verify ends in 2 for options that don't go together and in 3 and 5 for files") {
  const Fixture made;
  CHECK(run_swinzoo({"verify"}).status == 2);
  CHECK(run_swinzoo({"verify", made.good, "--against", "reference", "--golden", kGolden}).status == 2);
  CHECK(run_swinzoo({"verify", made.good, "--backend", "both"}).status == 2);
  CHECK(run_swinzoo({"verify", made.good, "--seed", "2"}).status == 2);
  CHECK(run_swinzoo({"verify", made.good, "--input", "x.npy"}).status == 2);
  CHECK(run_swinzoo({"verify", made.good, "--precision", "int8"}).status == 2);
  CHECK(run_swinzoo({"verify", made.good, "--precision", "bf16", "--against", "reference"}).status == 2);
  CHECK(run_swinzoo({"verify", made.good, "--precision", "bf16", "--golden", kGolden}).status == 2);
  CHECK(run_swinzoo({"verify", made.good, "--precision", "bf16", "--tolerance", "1"}).status == 2);
  CHECK(run_swinzoo({"verify", "--catalog", "--precision", "bf16"}).status == 2);
  CHECK(run_swinzoo({"verify", made.good, "--against", "reference", "--tolerance", "-1"}).status == 2);
  CHECK(run_swinzoo({"verify", "/no/such/model"}).status == 3);
  CHECK(run_swinzoo({"verify", made.good, "--against", "/no/such/model"}).status == 3);
  fs::resize_file(made.good, fs::file_size(made.good) - 1);
  CHECK(run_swinzoo({"verify", made.good}).status == 5);
  std::vector<MadeTensor> tensors = made_tensors({});
  tensors.pop_back();
  write_checkpoint(made.model + "/model.safetensors", tensors);
  const Result lacking = run_swinzoo({"verify", made.model});
  CHECK(lacking.status == 5);
  CHECK_THAT(lacking.err, Contains("head.fc.bias"));
}
