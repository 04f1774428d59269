// swinzoo convert and swinzoo inspect, by the real binary.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <limits>

#include "formats/atomic_file.h"
#include "formats/npy.h"
#include "formats/safetensors.h"
#include "tests/cmd/results.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

struct Fixture {
  TemporaryFolder folder;
  std::string model = folder.path() / "mini";
  std::string out = folder.path() / "out.safetensors";

  Fixture() { write_model(model); }
};

}  // namespace

TEST_CASE("convert writes a file that converts into itself") {
  const Fixture made;
  const Result result = run_swinzoo({"convert", made.model, "-o", made.out});
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  CHECK_THAT(result.out, Contains(made.out) && Contains(made.model) && Contains("sha256:"));

  const std::string again = made.folder.path() / "again.safetensors";
  const json::array results = results_of(run_swinzoo({"convert", made.out, "-o", again, "--json"}));
  REQUIRE(results.size() == 1);
  const json::object& fields = results[0].as_object();
  const std::vector<MadeTensor> tensors = made_tensors({});
  int64_t params = 0;
  for (const MadeTensor& tensor : tensors) params += element_count(tensor.shape);
  CHECK(fields.at("model") == "mini");
  CHECK(fields.at("output") == json::value(again));
  CHECK(fields.at("source") == json::value(made.out));
  CHECK(fields.at("tensors") == json::value(tensors.size()));
  CHECK(fields.at("params") == json::value(params));
  CHECK(fields.at("bytes") == json::value(fs::file_size(again)));
  CHECK_THAT(result.out, Contains(as_string(fields.at("weights_digest"), "digest")));
  CHECK(read_text(again) == read_text(made.out));
}

TEST_CASE("convert overwrites only with --force") {
  const Fixture made;
  write_file(made.out, "mine");
  const Result refused = run_swinzoo({"convert", made.model, "-o", made.out});
  CHECK(refused.status == 2);
  CHECK_THAT(refused.err, Contains(made.out) && Contains("--force"));
  CHECK(read_text(made.out) == "mine");
  CHECK(run_swinzoo({"convert", made.model, "-o", made.out, "--force"}).status == 0);
  const std::string bytes = read_text(made.out);
  CHECK(bytes.size() > 1000);
  CHECK(run_swinzoo({"convert", made.out, "-o", made.out, "--force"}).status == 0);  // onto itself
  CHECK(read_text(made.out) == bytes);
}

TEST_CASE("convert that fails leaves no file") {
  const Fixture made;
  const auto status_of = [&](const std::string& source, const std::string& output) {
    const Result result = run_swinzoo({"convert", source, "-o", output});
    CHECK_THAT(result.err, Catch::StartsWith("swinzoo: error: "));
    CHECK(result.out.empty());
    return result.status;
  };
  CHECK(status_of("/no/such/model", made.out) == 3);
  CHECK(status_of("microsoft/swinv2-tiny-patch4-window8-256", made.out) == 3);  // not fetched
  write_file(made.folder.path() / "file", "");
  CHECK(status_of(made.model, made.folder.path() / "file" / "below.safetensors") == 1);
  CHECK(status_of(made.model, made.folder.path() / std::string(300, 'n')) == 1);
  std::vector<MadeTensor> tensors = made_tensors({});
  tensors.pop_back();
  write_checkpoint(fs::path(made.model) / "model.safetensors", tensors);
  CHECK(status_of(made.model, made.out) == 5);
  fs::resize_file(fs::path(made.model) / "model.safetensors", 1000);
  CHECK(status_of(made.model, made.out) == 5);
  fs::remove(fs::path(made.model) / "config.json");
  write_checkpoint(fs::path(made.model) / "model.safetensors", tensors);
  CHECK(status_of(made.model, made.out) == 7);
  CHECK_FALSE(fs::exists(made.out));
  CHECK(run_swinzoo({"convert", made.model}).status == 2);
}

TEST_CASE("convert compares the outputs of both files") {
  const Fixture made;
  const auto convert = [&](std::vector<std::string> more) {
    std::vector<std::string> args = {"convert", made.model, "-o", made.out, "--force", "--json"};
    args.insert(args.end(), more.begin(), more.end());
    return results_of(run_swinzoo(args)).at(0).as_object();
  };
  const json::object exact = convert({});
  CHECK(
      exact.at("outputs") ==
      json::value({{"checked", true}, {"same_bits", true}, {"largest_error", 0}, {"largest_error_in", ""}}));
  CHECK(exact.at("weights_digest") == exact.at("source_weights_digest"));
  CHECK(exact.at("dtype") == "f32");
  CHECK(convert({"--no-check"}).at("outputs") == json::value({{"checked", false}, {"reason", "--no-check"}}));

  std::vector<MadeTensor> tensors = made_tensors({});
  for (MadeTensor& tensor : tensors) {
    for (float& value : tensor.values) value *= 1.001f;
  }
  write_checkpoint(fs::path(made.model) / "model.safetensors", tensors);
  for (const char* dtype : {"f16", "bf16"}) {
    const json::object rounded = convert({"--dtype", dtype});
    CHECK(rounded.at("dtype") == dtype);
    CHECK(rounded.at("bytes").to_number<int64_t>() < exact.at("bytes").to_number<int64_t>());
    CHECK(rounded.at("outputs").at("same_bits") == false);
    const double error = rounded.at("outputs").at("largest_error").as_double();
    CHECK(error > 1e-6);
    CHECK(error < 0.05);
    CHECK(rounded.at("weights_digest") != rounded.at("source_weights_digest"));
    // What runs of the file report is what convert said.
    const Result run =
        run_swinzoo({"bench", made.out, "--iterations", "1", "--warmup", "0", "--threads", "1", "--json"});
    CHECK(results_of(run).at(0).at("weights_digest") == rounded.at("weights_digest"));
  }
  CHECK(run_swinzoo({"convert", made.model, "-o", made.out, "--dtype", "f64"}).status == 2);
}

TEST_CASE("a conversion whose outputs are lost is refused and leaves what was there") {
  const Fixture made;
  std::vector<MadeTensor> tensors = made_tensors({});
  const auto bias =
      std::find_if(tensors.begin(), tensors.end(), [](const auto& t) { return t.name == "norm.bias"; });
  REQUIRE(bias != tensors.end());
  bias->values[0] = 70000;
  write_checkpoint(fs::path(made.model) / "model.safetensors", tensors);
  write_file(made.out, "mine");
  const Result refused = run_swinzoo({"convert", made.model, "-o", made.out, "--dtype", "f16", "--force"});
  CHECK(refused.status == 5);
  CHECK_THAT(refused.err,
             Contains("warning: values too large for f16") && Contains("norm.bias") && Contains("features"));
  CHECK(read_text(made.out) == "mine");
  CHECK(std::distance(fs::directory_iterator(made.folder.path()), {}) == 2);  // nothing beside it
  const Result written =
      run_swinzoo({"convert", made.model, "-o", made.out, "--dtype", "f16", "--force", "--no-check"});
  CHECK(written.status == 0);
  CHECK_THAT(written.err, Contains("norm.bias"));
  CHECK(run_swinzoo({"convert", made.model, "-o", made.out, "--dtype", "bf16", "--force"}).status == 0);
}

TEST_CASE("NaN and infinity in weights are kept and mentioned and pass the check") {
  const Fixture made;
  std::vector<MadeTensor> tensors = made_tensors({});
  tensors[3].values[0] = std::numeric_limits<float>::quiet_NaN();
  tensors.back().values[0] = std::numeric_limits<float>::infinity();
  write_checkpoint(fs::path(made.model) / "model.safetensors", tensors);
  const Result result = run_swinzoo({"convert", made.model, "-o", made.out});
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("bit for bit"));
  CHECK_THAT(result.err, Contains("NaN and infinity, which are kept, are in 2 tensors: " + tensors[3].name));
}

TEST_CASE("a model in shards converts into the same file as in one") {
  const Fixture made;
  REQUIRE(run_swinzoo({"convert", made.model, "-o", made.out}).status == 0);
  const std::string whole = read_text(made.out);
  fs::remove(fs::path(made.model) / "model.safetensors");
  const std::vector<MadeTensor> tensors = made_tensors({});
  json::object map;
  std::array<std::vector<MadeTensor>, 2> shards;
  for (size_t i = 0; i < tensors.size(); ++i) {
    map[tensors[i].name] = i % 2 == 0 ? "even.safetensors" : "odd.safetensors";
    shards[i % 2].push_back(tensors[i]);
  }
  const fs::path index = fs::path(made.model) / "model.safetensors.index.json";
  write_file(index, to_pretty_json(json::object{{"metadata", json::object()}, {"weight_map", map}}));
  write_checkpoint(fs::path(made.model) / "even.safetensors", shards[0]);
  const Result incomplete = run_swinzoo({"convert", made.model, "-o", made.out, "--force"});
  CHECK(incomplete.status == 3);
  CHECK_THAT(incomplete.err, Contains("1 of its 2 shards are not there: odd.safetensors"));
  write_checkpoint(fs::path(made.model) / "odd.safetensors", shards[1]);
  for (const std::string& source : {made.model, index.string()}) {
    CHECK(run_swinzoo({"convert", source, "-o", made.out, "--force"}).status == 0);
    CHECK(read_text(made.out) == whole);
  }
}

TEST_CASE("the flags arch and img-size settle what a bare file does not tell") {
  const Fixture made;
  const std::string file = made.folder.path() / "bare.safetensors";
  fs::rename(fs::path(made.model) / "model.safetensors", file);
  const Result refused = run_swinzoo({"convert", file, "-o", made.out});
  CHECK(refused.status == 7);
  CHECK_THAT(refused.err, Contains("--img-size"));
  CHECK(run_swinzoo({"convert", file, "-o", made.out, "--arch", "swin_tiny_patch4_window7_224"}).status == 5);
  CHECK(run_swinzoo({"convert", file, "-o", made.out, "--arch", "swin_minuscule"}).status == 3);
  CHECK(run_swinzoo({"convert", file, "-o", made.out, "--img-size", "0"}).status == 2);
  CHECK_FALSE(fs::exists(made.out));
  CHECK(run_swinzoo({"convert", file, "-o", made.out, "--img-size", "32"}).status == 0);
  CHECK(run_swinzoo({"convert", made.out, "-o", made.out, "--force", "--img-size", "64"}).status == 0);
  CHECK(run_swinzoo({"convert", made.out, "-o", made.out, "--force", "--img-size", "63"}).status == 2);
  CHECK(run_swinzoo({"bench", file, "--img-size", "32", "--iterations", "1", "--warmup", "0"}).status == 0);
}

TEST_CASE("a SavedModel that TensorFlow wrote gives the logits that TensorFlow gave") {
  const fs::path data = fs::path(SWINZOO_TEST_DATA) / "tensorflow";
  const TemporaryFolder folder;
  const std::string out = folder.path() / "out.safetensors", outputs = folder.path() / "outputs.safetensors";
  const Result result = run_swinzoo({"convert", data / "swin_mini.tar.gz", "-o", out});
  CHECK_THAT(result.out, Contains("bit for bit"));
  REQUIRE(run_swinzoo({"predict", out, data / "x.npy", "--outputs", "logits", "-o", outputs}).status == 0);
  const Tensor expected = read_npy(data / "logits.npy");
  Tensor scratch;
  const std::unique_ptr<Checkpoint> file = open_checkpoint(outputs);
  const TensorView found = file->read(0, scratch);
  REQUIRE(found.shape == expected.shape());
  for (size_t i = 0; i < 5; ++i) {
    CHECK(found.as<float>()[i] == Approx(expected.as<float>()[i]).margin(1e-5));
  }
}

TEST_CASE("inspect shows tensors; statistics; metadata; and how they fit") {
  const Fixture made;
  const std::string file = made.model + "/model.safetensors";
  const Result text = run_swinzoo({"inspect", file});
  CHECK(text.status == 0);
  CHECK_THAT(text.out, Contains(file) && Contains("layers.0.blocks.0.attn.qkv.weight") &&
                           Contains("[24, 8]") && Contains("format: pt") &&
                           Contains("Every tensor of the model is there."));

  const json::array results = results_of(run_swinzoo({"inspect", file, "--json"}));
  REQUIRE(results.size() == 1);
  CHECK(results[0].at("format") == "safetensors");
  CHECK(results[0].at("metadata").at("format") == "pt");
  for (const char* list : {"missing", "misshaped", "unexpected", "buffers"}) {
    CHECK(results[0].at(list).as_array().empty());
  }
  const std::vector<MadeTensor> tensors = made_tensors({});
  const json::array& shown = results[0].at("tensors").as_array();
  REQUIRE(shown.size() == tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    CHECK(shown[i].at("name") == json::value(tensors[i].name));
    CHECK(shown[i].at("dtype") == "F32");
    CHECK(shown[i].at("shape") == json::value(json::array(tensors[i].shape.begin(), tensors[i].shape.end())));
    CHECK(shown[i].at("bytes") == json::value(tensors[i].values.size() * 4));
    CHECK(shown[i].at("sha256").as_string().size() == 64);
    CHECK(shown[i].at("not_finite") == 0);
    double sum = 0;
    for (const float value : tensors[i].values) sum += value;
    CHECK(as_number(shown[i].at("mean"), "mean") ==
          Approx(sum / static_cast<double>(tensors[i].values.size())));
    CHECK(as_number(shown[i].at("min"), "min") == *std::ranges::min_element(tensors[i].values));
    CHECK(as_number(shown[i].at("max"), "max") == *std::ranges::max_element(tensors[i].values));
  }
}

TEST_CASE("inspect counts what is not finite and leaves integers without statistics") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const MadeTensor odd{"odd", {5}, {1, std::numeric_limits<float>::quiet_NaN(), -2, kInfinity, -kInfinity}};
  Tensor integers(DType::kI64, {2});
  integers.as<int64_t>()[0] = 7;
  integers.as<int64_t>()[1] = -7;
  const Tensor none(DType::kF32, {0});
  SafetensorsWriter writer(
      path, {{"odd", DType::kF32, {5}}, {"integers", DType::kI64, {2}}, {"none", DType::kF32, {0}}}, {});
  writer.write(encoded(odd, DType::kF32).view());
  writer.write(integers.view());
  writer.write(none.view());
  writer.commit();

  const json::array tensors =
      results_of(run_swinzoo({"inspect", path, "--json"})).front().at("tensors").as_array();
  CHECK(tensors[0].at("not_finite") == 3);
  CHECK(as_number(tensors[0].at("min"), "min") == -2);
  CHECK(as_number(tensors[0].at("max"), "max") == 1);
  CHECK(as_number(tensors[0].at("mean"), "mean") == -0.5);
  CHECK_FALSE(tensors[1].as_object().contains("min"));
  CHECK(tensors[2].at("bytes") == 0);
  const Result text = run_swinzoo({"inspect", path});
  CHECK(text.status == 0);
  CHECK_THAT(text.out, Contains("3 elements are NaN or infinite") && Contains("architecture can't be told"));
}

TEST_CASE("inspect says what does not fit") {
  const Fixture made;
  std::vector<MadeTensor> tensors = made_tensors({});
  tensors.back().name = "surplus";
  write_checkpoint(made.model + "/model.safetensors", tensors);
  const Result text = run_swinzoo({"inspect", made.model + "/model.safetensors"});
  CHECK(text.status == 0);
  CHECK_THAT(text.out, Contains("It does not fit the model:") && Contains("missing: head.fc.bias") &&
                           Contains("unexpected: surplus"));
  const json::array results =
      results_of(run_swinzoo({"inspect", made.model + "/model.safetensors", "--json"}));
  CHECK(results[0].at("missing") == json::value{"head.fc.bias"});
  CHECK(results[0].at("unexpected") == json::value{"surplus"});
}

TEST_CASE("inspect ends in 5 for a damaged file and in 3 for a missing one") {
  const Fixture made;
  const std::string file = made.model + "/model.safetensors";
  fs::resize_file(file, fs::file_size(file) - 1);
  const Result damaged = run_swinzoo({"inspect", file});
  CHECK(damaged.status == 5);
  CHECK(damaged.out.empty());
  CHECK_THAT(damaged.err, Contains(file));
  CHECK(run_swinzoo({"inspect", "/no/such/file.safetensors"}).status == 3);
  write_file(file, std::string("\0\0\0\0\0\0\0\x80{}", 10));
  CHECK(run_swinzoo({"inspect", file}).status == 5);
  write_file(made.folder.path() / "notes.txt", "no checkpoint at all");
  CHECK(run_swinzoo({"inspect", made.folder.path() / "notes.txt"}).status == 7);
  CHECK(run_swinzoo({"inspect", made.folder.path()}).status == 3);  // a folder without weights
}
