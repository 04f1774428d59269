#include "eval/accuracy.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <limits>

#include "eval/image.h"
#include "eval/preprocess.h"
#include "formats/error.h"
#include "formats/json.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace fs = std::filesystem;

namespace {

const fs::path kCases = fs::path(SWINZOO_TEST_DATA) / "preprocess";
constexpr int64_t kImageSize = 32;
constexpr int64_t kClasses = 10;

// Seven small images, three classes; class1/b.jpg is damaged where `damaged`.
LabelledImages make_folder(const fs::path& root, bool damaged, DataOptions options = {}) {
  const std::vector<std::pair<const char*, const char*>> files = {
      {"class0/a.jpg", "gray.jpg"},       {"class0/b.png", "gray2.png"},    {"class1/a.jpg", "restart.jpg"},
      {"class1/b.jpg", "one_column.jpg"}, {"class1/c.png", "palette2.png"}, {"class2/a.jpg", "cmyk.jpg"},
      {"class2/b.png", "rgb_trns.png"}};
  for (const auto& [file, source] : files) {
    fs::create_directories((root / file).parent_path());
    fs::copy_file(kCases / "images" / source, root / file);
  }
  if (damaged) fs::resize_file(root / "class1" / "b.jpg", 400);
  options.data = root;
  zoo::ModelSpec spec;
  spec.num_classes = kClasses;
  return DataSet(options).labelled_for(spec);
}

float sum_of(std::span<const float> input) {
  double sum = 0;
  for (const float value : input) sum += value;
  return static_cast<float>(sum);
}

// Logit c is a function of the input and c alone, so that results don't depend on batches.
void classify(std::span<const float> batch, int64_t count, std::span<float> logits) {
  constexpr size_t kInput = 3 * kImageSize * kImageSize;
  REQUIRE(batch.size() == static_cast<size_t>(count) * kInput);
  REQUIRE(logits.size() == static_cast<size_t>(count * kClasses));
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const float sum = sum_of(batch.subspan(i * kInput, kInput));
    for (size_t c = 0; c < kClasses; ++c) logits[i * kClasses + c] = std::sin(sum + static_cast<float>(c));
  }
}

AccuracyResult run(const LabelledImages& folder, int64_t batch_size, const EvaluateOptions& options = {}) {
  return evaluate(folder, zoo::Preprocessing{}, kImageSize, kClasses, batch_size, &classify, options);
}

// A classifier that gives the same logits for every image.
Classifier constant(std::vector<float> row) {
  return [row](std::span<const float>, int64_t count, std::span<float> logits) {
    for (int64_t i = 0; i < count; ++i)
      std::copy(row.begin(), row.end(), logits.begin() + i * std::ssize(row));
  };
}

}  // namespace

TEST_CASE("top k falls as torch.topk does with ties and with NaN") {
  const json::value expected = read_json(kCases / "expected.json");
  size_t cases = 0;
  for (const json::value& value : expected.as_object().at("top5").as_array()) {
    std::vector<float> logits;
    for (const json::value& logit : value.as_object().at("logits").as_array()) {
      logits.push_back(logit.is_null() ? std::nanf("") : static_cast<float>(logit.as_double()));
    }
    std::vector<int64_t> top5;
    for (const json::value& id : value.as_object().at("top5").as_array()) top5.push_back(id.as_int64());
    INFO("case " << cases << " of " << logits.size() << " logits");
    CHECK(top_k(logits, 5) == top5);
    ++cases;
  }
  CHECK(cases > 30);
  CHECK(top_k({}, 5).empty());
}

TEST_CASE("accuracy is the same whatever the batch size") {
  const TemporaryFolder scratch;
  const LabelledImages folder = make_folder(scratch.path(), false);
  const AccuracyResult one = run(folder, 1);
  REQUIRE(one.count == 7);
  REQUIRE(one.predictions.size() == 7);
  int64_t right1 = 0;
  int64_t right5 = 0;
  for (size_t i = 0; i < 7; ++i) {
    const Prediction& prediction = one.predictions[i];
    CHECK(prediction.path == folder.source->paths()[i]);
    CHECK(prediction.labels == folder.samples[i].labels);
    REQUIRE(prediction.labels.size() == 1);
    std::vector<float> input(3 * kImageSize * kImageSize);
    Preprocessor({}, kImageSize)(read_image(scratch.path() / prediction.path), input);
    std::vector<float> logits(kClasses);
    classify(input, 1, logits);
    REQUIRE(prediction.top.size() == 5);
    CHECK(prediction.top == top_k(logits, 5));
    for (size_t k = 0; k < 5; ++k)
      CHECK(prediction.logits[k] == logits[static_cast<size_t>(prediction.top[k])]);
    right1 += prediction.top[0] == prediction.labels[0];
    right5 += std::count(prediction.top.begin(), prediction.top.end(), prediction.labels[0]);
  }
  CHECK(one.right1 == right1);
  CHECK(one.right5 == right5);
  CHECK(one.top1 == Approx(100.0 * static_cast<double>(right1) / 7));
  CHECK(one.top5 == Approx(100.0 * static_cast<double>(right5) / 7));
  for (const int64_t batch_size : {2, 3, 7, 64}) {
    const AccuracyResult other = run(folder, batch_size);
    INFO("batch " << batch_size);
    CHECK(other.top1 == one.top1);
    CHECK(other.top5 == one.top5);
    REQUIRE(other.predictions.size() == 7);
    for (size_t i = 0; i < 7; ++i) CHECK(other.predictions[i].logits == one.predictions[i].logits);
  }
}

TEST_CASE("a damaged image is reported and left out of the mean") {
  const TemporaryFolder scratch;
  const LabelledImages folder = make_folder(scratch.path() / "damaged", true);
  const AccuracyResult whole = run(make_folder(scratch.path() / "whole", false), 3);
  for (const int64_t batch_size : {1, 3, 4, 64}) {
    INFO("batch " << batch_size);
    const AccuracyResult result = run(folder, batch_size);
    CHECK(result.count == 6);
    REQUIRE(result.skipped.size() == 1);
    CHECK(result.skipped[0].path == "class1/b.jpg");
    CHECK_THAT(result.skipped[0].message,
               Catch::StartsWith((scratch.path() / "damaged/class1/b.jpg").string()));
    CHECK_THAT(result.skipped[0].message, Catch::Matchers::Contains("truncated JPEG"));
    REQUIRE(result.predictions.size() == 6);
    for (size_t i = 0; i < 6; ++i) {
      CHECK(result.predictions[i].logits == whole.predictions[i < 3 ? i : i + 1].logits);
    }
    CHECK(evaluate(folder, {}, kImageSize, 3, batch_size, constant({1, 2, 0})).top1 == Approx(100.0 * 2 / 6));
  }
}

TEST_CASE("progress is told after each batch and ends at the total") {
  const TemporaryFolder scratch;
  const LabelledImages folder = make_folder(scratch.path(), true);
  std::vector<EvaluateProgress> told;
  EvaluateOptions options;
  options.progress = [&](const EvaluateProgress& progress) { told.push_back(progress); };
  const AccuracyResult result = run(folder, 3, options);
  REQUIRE(told.size() == 3);
  CHECK(told[0].done == 3);
  CHECK(told[1].done == 6);
  CHECK(told[2].done == 7);
  CHECK(told[2].total == 7);
  CHECK(told[2].top1 == result.top1);
  CHECK(told[2].top5 == result.top5);
}

TEST_CASE("logits with NaN are never right") {
  const TemporaryFolder scratch;
  const LabelledImages folder = make_folder(scratch.path(), false);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const AccuracyResult result = evaluate(folder, {}, kImageSize, 3, 4, constant({nan, nan, nan}));
  CHECK(result.count == 7);
  CHECK(result.top1 == 0);
  CHECK(result.top5 == 0);
  CHECK(result.predictions[0].has_nan);
  CHECK(evaluate(folder, {}, kImageSize, 3, 4, constant({5, 1, nan})).top1 == 0);
  CHECK(evaluate(folder, {}, kImageSize, 3, 4, constant({5, 1, 0})).top5 == 100);
  CHECK(evaluate(folder, {}, kImageSize, 3, 4, constant({5, 1, 0})).top1 == Approx(200.0 / 7));
}

TEST_CASE("an evaluation of images that none can be read fails") {
  const TemporaryFolder scratch;
  const LabelledImages folder = make_folder(scratch.path(), false);
  bool called = false;
  const Classifier never = [&](std::span<const float>, int64_t, std::span<float>) { called = true; };
  for (const std::string& path : folder.source->paths()) fs::resize_file(scratch.path() / path, 20);
  try {
    evaluate(folder, {}, kImageSize, 3, 4, never);
    FAIL("evaluated");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::Matchers::Contains("none of the 7 images"));
  }
  CHECK_FALSE(called);
  CHECK(evaluate({folder.source, {}, {}, {}, {}}, {}, kImageSize, 3, 4, never).count == 0);
}

TEST_CASE("answers are taken from the valid classes only") {
  const TemporaryFolder scratch;
  LabelledImages data = make_folder(scratch.path(), false);
  data.valid_classes = {7, 2, 5};
  for (Sample& sample : data.samples) sample.labels = {5};
  // Class 0 is the best of all, 5 of the valid ones; the NaN stands at one that is not valid.
  const AccuracyResult result =
      evaluate(data, {}, kImageSize, kClasses, 4, constant({9, 8, 1, std::nanf(""), 0, 3, 0, 2, 0, 0}));
  CHECK(result.top1 == 100);
  CHECK(result.predictions[0].top == std::vector<int64_t>{5, 7, 2});
  CHECK(result.predictions[0].logits == std::vector<float>{3, 2, 1});
  CHECK_FALSE(result.predictions[0].has_nan);
}

TEST_CASE("an image with several labels is right by any of them; one without counts nowhere") {
  const TemporaryFolder scratch;
  LabelledImages data = make_folder(scratch.path(), false);
  const std::vector<std::vector<int64_t>> labels = {{4, 9}, {9, 8}, {}, {8}, {4}, {0}, {}};
  for (size_t i = 0; i < labels.size(); ++i) data.samples[i].labels = labels[i];
  const AccuracyResult result =
      evaluate(data, {}, kImageSize, kClasses, 3, constant({0, 1, 2, 3, 9, 5, 6, 7, 8, 0}));
  CHECK(result.count == 5);
  CHECK(result.unlabelled == 2);
  CHECK(result.predictions.size() == 7);
  CHECK(result.right1 == 2);
  CHECK(result.right5 == 4);
  CHECK(result.top1 == Approx(40));
  CHECK(result.top5 == Approx(80));
  REQUIRE(result.by_class.size() == 4);
  CHECK(result.by_class.at(9).count == 2);
  CHECK(result.by_class.at(9).right1 == 1);
  CHECK(result.by_class.at(9).right5 == 2);
  CHECK(result.by_class.at(4).right1 == 2);
  CHECK(result.by_class.at(0).right5 == 0);
}

TEST_CASE("what a classifier throws comes out of evaluate") {
  const TemporaryFolder scratch;
  const LabelledImages folder = make_folder(scratch.path(), false);
  const Classifier bad = [](std::span<const float>, int64_t, std::span<float>) {
    fail(ErrorCode::kUnsupported, "no such device");
  };
  CHECK_THROWS_WITH(evaluate(folder, {}, kImageSize, 3, 2, bad), "no such device");
}
