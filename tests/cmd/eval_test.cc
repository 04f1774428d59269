// swinzoo eval, by the real binary.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "formats/atomic_file.h"
#include "tests/cmd/results.h"
#include "tests/has_precision.h"
#include "tests/made_model.h"
#include "tests/process.h"
#include "tests/raw_tar.h"

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
  REQUIRE(results.size() == 3);
  CHECK(results[0].at("model") == "/no/such/model");
  CHECK_THAT(as_string(results[0].at("error"), "error"), Contains("/no/such/model"));
  CHECK(results[1].at("weights_digest") != results[2].at("weights_digest"));
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

namespace {

// A model with ImageNet's 1000 classes, and a flat folder of three of its validation images.
struct ValidationFixture {
  TemporaryFolder folder;
  std::string model = folder.path() / "mini";
  fs::path data = folder.path() / "val";

  ValidationFixture() {
    write_model(model, {.num_classes = 1000});
    fs::create_directories(data);
    for (const auto& [number, name] :
         {std::pair(1, "gray.jpg"), std::pair(2, "cmyk.jpg"), std::pair(3, "rgb.png")}) {
      fs::copy_file(kImages / name, data / fmt::format("ILSVRC2012_val_{:08}.JPEG", number));
    }
  }

  std::string file(const std::string& name, const std::string& text) const {
    write_file(folder.path() / name, text);
    return folder.path() / name;
  }
  Result eval(std::vector<std::string> more) const {
    more.insert(more.begin(), {"eval", model, "--threads", "2", "--samples", "--json"});
    return run_swinzoo(more);
  }
};

// The labels of all samples, in order.
std::vector<int64_t> labels_of(const json::value& run) {
  std::vector<int64_t> labels;
  for (const json::value& sample : run.at("samples").as_array())
    labels.push_back(as_int(sample.at("label"), "label"));
  return labels;
}

}  // namespace

TEST_CASE("eval takes ImageNet's validation set as people have it") {
  const ValidationFixture made;
  const std::string data = made.data;
  const Result flat = made.eval({"--data", data});
  CHECK(flat.status == 5);
  CHECK_THAT(flat.err, Contains("--labels FILE") && Contains("--meta"));

  // All of them say: classes 2, 0, 999.
  const std::string synsets = made.file("synsets.txt", "n01484850\nn01440764\nn15075141\n");
  const std::string kaggle =
      made.file("LOC_val_solution.csv",
                "ImageId,PredictionString\nILSVRC2012_val_00000003,n15075141 1 2 3 4 \n"
                "ILSVRC2012_val_00000001,n01484850 1 2 3 4 \n"
                "ILSVRC2012_val_00000002,n01440764 1 2 3 4 \n");
  const std::string truth = made.file("ILSVRC2012_validation_ground_truth.txt", "998\n1000\n1\n");
  const std::string meta = SWINZOO_TEST_DATA "/labels/meta.mat";
  const std::string list =
      made.file("list.csv",
                "val/ILSVRC2012_val_00000001.JPEG,2\nval/ILSVRC2012_val_00000002.JPEG,0\n"
                "val/ILSVRC2012_val_00000003.JPEG,999\n");
  std::vector<std::pair<std::string, std::string>> members;
  for (const auto& entry : fs::directory_iterator(made.data)) {
    members.emplace_back("./" + entry.path().filename().string(), read_text(entry.path()));
  }
  const std::string tar = made.file("ILSVRC2012_img_val.tar", made_tar(members));
  for (const fs::path& image : {made.folder.path() / "sorted/n01484850/ILSVRC2012_val_00000001.JPEG",
                                made.folder.path() / "sorted/n01440764/ILSVRC2012_val_00000002.JPEG",
                                made.folder.path() / "sorted/n15075141/ILSVRC2012_val_00000003.JPEG"}) {
    fs::create_directories(image.parent_path());
    fs::copy_file(made.data / image.filename(), image);
  }
  const json::value expected = results_of(made.eval({"--data", data, "--labels", synsets})).front();
  CHECK(labels_of(expected) == std::vector<int64_t>{2, 0, 999});
  CHECK(expected.at("data_set") == "imagenet");
  CHECK(expected.at("labelled_by") == "synsets.txt, as synsets of ImageNet-1k");
  CHECK(expected.at("classes").at(0).at("name") == "n01440764");
  const std::vector<std::vector<std::string>> forms = {{"--data", data, "--labels", kaggle},
                                                       {"--data", data, "--labels", truth, "--meta", meta},
                                                       {"--data", tar, "--labels", kaggle},
                                                       {"--data", list}};
  for (const std::vector<std::string>& form : forms) {
    INFO(form.back());
    const json::value found = results_of(made.eval(form)).front();
    CHECK(labels_of(found) == labels_of(expected));
    CHECK(found.at("top1") == expected.at("top1"));
    for (size_t i = 0; i < 3; ++i) {
      CHECK(found.at("samples").at(i).at("logits") == expected.at("samples").at(i).at("logits"));
    }
  }
  const json::value by_folder = results_of(made.eval({"--data", made.folder.path() / "sorted"})).front();
  CHECK(labels_of(by_folder) == std::vector<int64_t>{0, 2, 999});
  CHECK(by_folder.at("data_set") == "imagenet");

  CHECK(made.eval({"--data", data, "--labels", truth}).status == 2);
  CHECK(made.eval({"--data", data, "--meta", meta}).status == 2);
  CHECK(made.eval({"--data", data, "--labels", "/no/such"}).status == 3);
  CHECK(made.eval({"--data", data, "--labels", made.file("bad.txt", "tench\n")}).status == 5);
  CHECK(made.eval({"--data", made.file("cut.tar", read_text(tar).substr(0, 1000)), "--labels", kaggle})
            .status == 5);
  CHECK(made.eval({"--data", made.file("val.tar.gz", "\x1f\x8b\x08"), "--labels", kaggle}).status == 7);
}

TEST_CASE("eval with ReaL's labels counts images that have some") {
  const ValidationFixture made;
  const json::value plain = results_of(made.eval({"--data", made.data, "--labels",
                                                  made.file("s.txt", "n01484850\nn01440764\nn15075141\n")}))
                                .front();
  const int64_t best = as_int(plain.at("samples").at(0).at("top5").at(0), "class");
  const int64_t third = as_int(plain.at("samples").at(2).at("top5").at(2), "class");
  const std::string real =
      made.file("real.json", fmt::format("[[{}, {}], [], [{}]]", (best + 1) % 1000, best, third));
  const json::value run = results_of(made.eval({"--data", made.data, "--real-labels", real})).front();
  CHECK(run.at("data_set") == "imagenet-real");
  CHECK(run.at("count") == 2);
  CHECK(run.at("unlabelled") == 1);
  CHECK(as_number(run.at("top1"), "top1") == 50.0);
  CHECK(as_number(run.at("top5"), "top5") == 100.0);
  CHECK(as_number(run.at("top1_low"), "low") == Approx(9.4531).margin(1e-3));
  CHECK(as_number(run.at("top1_high"), "high") == Approx(90.5469).margin(1e-3));
  CHECK(run.at("samples").at(0).at("labels").as_array().size() == 2);
  CHECK_FALSE(run.at("samples").at(1).as_object().contains("label"));
  CHECK(run.at("samples").at(2).at("label") == third);
  CHECK(made.eval({"--data", made.data, "--real-labels", made.file("short.json", "[[1]]")}).status == 5);
}

TEST_CASE("eval restricts answers to valid labels and maps classes as timm does") {
  const Fixture made;
  const auto file = [&](const char* name, const char* text) {
    write_file(made.folder.path() / name, text);
    return (made.folder.path() / name).string();
  };
  const json::value valid =
      results_of(made.eval({"--json", "--samples", "--valid-labels", file("valid.txt", "4\n0\n3\n")}))
          .front();
  CHECK(valid.at("valid_classes") == 3);
  for (const json::value& sample : valid.at("samples").as_array()) {
    REQUIRE(sample.at("top5").as_array().size() == 3);
    for (const json::value& id : sample.at("top5").as_array()) CHECK((id == 0 || id == 3 || id == 4));
  }
  CHECK(labels_of(valid) == std::vector<int64_t>{4, 4, 4, 0, 0, 0, 3, 3});

  const Result mapped =
      made.eval({"--json", "--samples", "--class-map", file("map.txt", "x\nn10\ny\nn01\n")});
  CHECK_THAT(mapped.err, Contains("3 images are left out"));
  CHECK(labels_of(results_of(mapped).front()) == std::vector<int64_t>{3, 3, 3, 1, 1});
  CHECK(made.eval({"--valid-labels", file("bad.txt", "5\n")}).status == 5);
  CHECK(made.eval({"--class-map", file("none.txt", "x\n")}).status == 5);
}

TEST_CASE("eval draws the same sample for the same seed") {
  const Fixture made;
  const auto paths = [&](const std::vector<std::string>& more) {
    std::vector<std::string> args = {"--json", "--samples"};
    args.insert(args.end(), more.begin(), more.end());
    std::vector<std::string> found;
    const json::value run = results_of(made.eval(args)).front();
    for (const json::value& sample : run.at("samples").as_array())
      found.push_back(as_string(sample.at("path"), "path"));
    return found;
  };
  const auto all = paths({});
  CHECK(paths({"--limit", "3"}) == std::vector<std::string>(all.begin(), all.begin() + 3));
  const auto drawn = paths({"--shuffle", "--seed", "7"});
  CHECK(drawn != all);
  CHECK(std::is_permutation(drawn.begin(), drawn.end(), all.begin(), all.end()));
  CHECK(paths({"--shuffle", "--seed", "7", "--limit", "2"}) ==
        std::vector<std::string>(drawn.begin(), drawn.begin() + 2));
  CHECK(paths({"--shuffle"}) == paths({"--shuffle", "--seed", "42"}));
  const json::value run = results_of(made.eval({"--json", "--shuffle", "--limit", "4"})).front();
  CHECK(run.at("shuffle_seed") == 42);
  CHECK(run.at("limit") == 4);
  CHECK(run.at("count") == 4);
  CHECK(made.eval({"--seed", "7"}).status == 2);
  CHECK(made.eval({"--limit", "0"}).status == 2);
}

TEST_CASE("eval's overrides change the pixels and the fingerprint") {
  const Fixture made;
  const json::value plain = results_of(made.eval({"--json", "--samples"})).front();
  const std::vector<std::pair<std::vector<std::string>, std::string>> overrides = {
      {{"--crop-pct", "0.5"}, "center crop 32"},     {{"--crop-mode", "squash"}, "squash to"},
      {{"--crop-mode", "border"}, "longer side to"}, {{"--interpolation", "bilinear"}, "bilinear"},
      {{"--mean", "0.5"}, "mean 0.5 0.5 0.5"},       {{"--mean", "0.1", "0.2", "0.3"}, "mean 0.1 0.2 0.3"},
      {{"--std", "0.25,0.5,1"}, "std 0.25 0.5 1"},   {{"--img-size", "64"}, "center crop 64"}};
  std::vector<std::string> seen = {as_string(plain.at("preprocessing"), "preprocessing")};
  for (const auto& [flags, said] : overrides) {
    INFO(flags.front() << " " << flags.back());
    std::vector<std::string> args = {"--json", "--samples"};
    args.insert(args.end(), flags.begin(), flags.end());
    const json::value run = results_of(made.eval(args)).front();
    const std::string fingerprint = as_string(run.at("preprocessing"), "preprocessing");
    CHECK_THAT(fingerprint, Contains(said));
    CHECK(std::find(seen.begin(), seen.end(), fingerprint) == seen.end());
    seen.push_back(fingerprint);
    CHECK(run.at("samples") != plain.at("samples"));
  }
  const json::value run = results_of(made.eval({"--json", "--crop-pct", "0.5", "--crop-mode", "border",
                                                "--interpolation", "bilinear"}))
                              .front();
  CHECK(as_number(run.at("crop_pct"), "crop_pct") == 0.5);
  CHECK(run.at("crop_mode") == "border");
  CHECK(run.at("interpolation") == "bilinear");
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--crop-mode", "none"},
                                                {"--interpolation", "lanczos"},
                                                {"--crop-pct", "0"},
                                                {"--mean", "1", "2"},
                                                {"--std", "0"}}) {
    INFO(wrong.front() << " " << wrong.back());
    CHECK(made.eval(wrong).status == 2);
  }
}

TEST_CASE("eval tells each class's accuracy and the intervals") {
  const Fixture made;
  const std::string csv = made.folder.path() / "classes.csv";
  const json::value run = results_of(made.eval({"--json", "--samples", "--per-class", csv})).front();
  const json::array& classes = run.at("classes").as_array();
  REQUIRE(classes.size() == 3);
  CHECK(classes[0].at("name") == "n01");
  CHECK(classes[2].at("class") == 2);
  double right = 0;
  int64_t count = 0;
  for (const json::value& row : classes) {
    count += as_int(row.at("count"), "count");
    right += as_number(row.at("top1"), "top1") / 100 * as_number(row.at("count"), "count");
  }
  CHECK(count == 8);
  CHECK(right == Approx(as_number(run.at("top1"), "top1") / 100 * 8));
  CHECK(as_number(run.at("top1_low"), "low") <= as_number(run.at("top1"), "top1"));
  CHECK(as_number(run.at("top1_high"), "high") >= as_number(run.at("top1"), "top1"));
  const std::string text = read_text(csv);
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
  CHECK_THAT(text, Catch::StartsWith("model,class,name,count,top1,top5\n") && Contains(",0,n01,3,"));
}
