// swinzoo eval, by the real binary.
#include <catch2/catch.hpp>
#include <filesystem>

#include "formats/atomic_file.h"
#include "tests/cmd/results.h"
#include "tests/has_precision.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

const fs::path kImages = SWINZOO_TEST_DATA "/preprocess/images";

// A model of 5 classes and 8 images in 3 of them.
struct Fixture {
  TemporaryFolder folder;
  std::string model = folder.path() / "mini";
  fs::path data = folder.path() / "data";

  Fixture() {
    write_model(model);
    add("n01", {"baseline_420.jpg", "rgb.png", "gray.jpg"});
    add("n02", {"cmyk.jpg", "palette4_interlaced.png", "progressive.jpg"});
    add("n10", {"rgba.png", "very_wide.jpg"});
  }

  void add(const std::string& label, const std::vector<std::string>& names) const {
    fs::create_directories(data / label);
    for (const std::string& name : names) fs::copy_file(kImages / name, data / label / name);
  }
  void add_corrupt(const std::string& path) const {
    write_file(data / path, read_text(kImages / "baseline_420.jpg").substr(0, 1000));
  }
  Result eval(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"eval", model, "--data", data.string(), "--threads", "2"});
    return run_swinzoo(more);
  }
};

// The same images, and logits that are equal but for rounding: an image's place in its batch may change that.
void check_same_samples(const json::value& a, const json::value& b) {
  REQUIRE(a.as_array().size() == b.as_array().size());
  for (size_t i = 0; i < a.as_array().size(); ++i) {
    CHECK(a.at(i).at("path") == b.at(i).at("path"));
    CHECK(a.at(i).at("label") == b.at(i).at("label"));
    for (size_t k = 0; k < 5; ++k) {
      CHECK(as_number(a.at(i).at("logits").at(k), "logit") ==
            Approx(as_number(b.at(i).at("logits").at(k), "logit")).margin(1e-5));
    }
  }
}

}  // namespace

TEST_CASE("eval measures a folder of images the same on both backends and whatever the batch") {
  const Fixture made;
  const json::value first = results_of(made.eval({"--json", "--samples"})).front();
  CHECK(first.at("kind") == "eval");
  CHECK(first.at("count") == 8);
  CHECK(first.at("skipped").as_array().empty());
  CHECK(first.at("data") == json::value(made.data.string()));
  CHECK(first.at("backend") == "cpu");
  const json::array& samples = first.at("samples").as_array();
  REQUIRE(samples.size() == 8);
  CHECK(samples[0].at("path") == "n01/baseline_420.jpg");
  CHECK(samples[7].at("label") == 2);
  int64_t right = 0;
  for (const json::value& sample : samples) {
    CHECK(sample.at("top5").as_array().size() == 5);
    right += sample.at("top5").at(0) == sample.at("label");
  }
  CHECK(as_number(first.at("top1"), "top1") == 100.0 * static_cast<double>(right) / 8);
  CHECK(as_number(first.at("top5"), "top5") == 100.0);

  const json::value batched = results_of(made.eval({"--json", "--samples", "--batch-size", "3"})).front();
  const json::value oracle = results_of(made.eval({"--json", "--samples", "--backend", "reference"})).front();
  CHECK(oracle.at("backend") == "reference");
  CHECK(batched.at("weights_digest") == first.at("weights_digest"));
  check_same_samples(batched.at("samples"), first.at("samples"));
  check_same_samples(oracle.at("samples"), first.at("samples"));
}

TEST_CASE("eval with a corrupt image writes results; lists it; and ends in 5") {
  const Fixture made;
  const json::value whole = results_of(made.eval({"--json", "--samples"})).front();
  made.add_corrupt("n02/damaged.jpg");
  const std::string file = made.folder.path() / "run.json";
  const Result result = made.eval({"--json", "--samples", "-o", file});
  CHECK(result.status == 5);
  CHECK_THAT(result.err, Contains("1 of 9 images could not be read"));
  const json::value run = results_of(result).front();
  CHECK(run.at("count") == 8);
  REQUIRE(run.at("skipped").as_array().size() == 1);
  CHECK(run.at("skipped").at(0).at("path") == "n02/damaged.jpg");
  CHECK_THAT(as_string(run.at("skipped").at(0).at("error"), "error"), Contains("damaged.jpg"));
  check_same_samples(run.at("samples"), whole.at("samples"));
  CHECK(run.at("top1") == whole.at("top1"));
  CHECK(read_text(file) == result.out);
}

TEST_CASE("eval of images of which none can be read ends in 5") {
  const Fixture made;
  fs::remove_all(made.data);
  made.add_corrupt("n01/a.jpg");
  write_file(made.data / "n01" / "b.png", "");
  const Result result = made.eval({"--json"});
  CHECK(result.status == 5);
  CHECK_THAT(result.err, Contains("none of the 2 images could be read") && Contains("a.jpg"));
}

TEST_CASE("eval of several models of which one fails measures the others and ends in 1") {
  const Fixture made;
  const std::string second = made.folder.path() / "second";
  write_model(second, {.seed = 2});
  const Result result = made.eval({"/no/such/model", second, "--json"});
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("/no/such/model"));
  const json::array results = results_of(result);
  REQUIRE(results.size() == 2);
  CHECK(results[0].at("weights_digest") != results[1].at("weights_digest"));
}

TEST_CASE("eval names the precision that ran, and a CPU without the one asked for ends in 7") {
  const Fixture made;
  CHECK(results_of(made.eval({"--json"}))[0].at("precision") == "fp32");
  CHECK_THAT(made.eval({"--format", "csv"}).out, Contains(",fp32,"));
  const Result bf16 = made.eval({"--precision", "bf16", "--json"});
  if (has_precision(backends::Precision::kBf16)) {
    CHECK(results_of(bf16)[0].at("precision") == "bf16");
  } else {
    CHECK(bf16.status == 7);
    CHECK(bf16.out.empty());
  }
}

TEST_CASE("eval names what is wrong with its data or its model") {
  const Fixture made;
  const auto status_of = [](const Result& result, const char* said) {
    CHECK(result.out.empty());
    CHECK_THAT(result.err, Catch::StartsWith("swinzoo: error: ") && Contains(said));
    return result.status;
  };
  CHECK(status_of(run_swinzoo({"eval", made.model}), "--data") == 2);
  CHECK(status_of(run_swinzoo({"eval", made.model, "--data", "/no/such"}), "/no/such") == 3);
  CHECK(status_of(run_swinzoo({"eval", "/no/such", "--data", made.data}), "/no/such") == 3);
  CHECK(status_of(made.eval({"--backend", "reference", "--precision", "bf16"}), "fp32 only") == 7);
  CHECK(status_of(made.eval({"--batch-size", "0"}), "--batch-size") == 2);
  CHECK(status_of(made.eval({"--threads", "0"}), "--threads") == 2);
  CHECK(status_of(made.eval({"--backend", "gpu"}), "--backend") == 2);

  const std::string headless = made.folder.path() / "headless";
  write_model(headless, {.num_classes = 0});
  CHECK(status_of(run_swinzoo({"eval", headless, "--data", made.data}), "no classifier") == 7);
  const std::string gray = made.folder.path() / "gray";
  write_model(gray, {.in_chans = 1});
  CHECK(status_of(run_swinzoo({"eval", gray, "--data", made.data}), "1 channels") == 7);

  for (const char* label : {"n11", "n12", "n13"}) made.add(label, {"one_pixel.png"});
  CHECK(status_of(made.eval(), "has label 5") == 5);
  fs::copy_file(kImages / "rgb.png", made.data / "loose.png");
  CHECK(status_of(made.eval(), "loose.png") == 5);
  fs::remove_all(made.data);
  fs::create_directories(made.data / "n01");
  CHECK(status_of(made.eval(), "data") == 3);
}

TEST_CASE("eval prints every format and no notes with -q") {
  const Fixture made;
  for (const char* format : {"text", "jsonl", "csv", "md"}) {
    const Result result = made.eval({"-q", "--format", format});
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK_THAT(result.out, Contains("mini"));
  }
  CHECK(made.eval({"--format", "xml"}).status == 2);
}
