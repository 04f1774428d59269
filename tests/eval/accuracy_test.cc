#include "eval/accuracy.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <limits>

#include "eval/evaluation.h"
#include "eval/image.h"
#include "eval/image_reader.h"
#include "eval/pass.h"
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

// One model over a folder of images.
Run evaluate(const LabelledImages& data, int64_t classes, int64_t batch_size, const RunBatch& classifier,
             const std::function<void(size_t)>& progress = {}) {
  Evaluation evaluation({}, samples_of(data), data.valid_classes, data.class_names, {});
  std::vector<size_t> images;
  for (const Sample& sample : data.samples) images.push_back(sample.image);
  const ImageReader reader(*data.source, images, {{zoo::Preprocessing{}, kImageSize}});
  const PassModel model = {0,
                           static_cast<size_t>(classes),
                           0,
                           classifier,
                           [&](std::span<const float> row) { evaluation.take(row); },
                           [&](const std::string& message) { evaluation.skip(message); },
                           [] {}};
  for (const std::exception_ptr& error :
       run_pass(reader, images.size(), std::span(&model, 1), {batch_size, progress})) {
    if (error) std::rethrow_exception(error);
  }
  return evaluation.finish(1);
}

Run run(const LabelledImages& folder, int64_t batch_size, const std::function<void(size_t)>& progress = {}) {
  return evaluate(folder, kClasses, batch_size, &classify, progress);
}

// A classifier that gives the same logits for every image.
RunBatch constant(std::vector<float> row) {
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
  const Run one = run(folder, 1);
  REQUIRE(one.count == 7);
  REQUIRE(one.samples.size() == 7);
  int64_t right1 = 0;
  int64_t right5 = 0;
  for (size_t i = 0; i < 7; ++i) {
    const EvalSample& prediction = one.samples[i];
    CHECK(prediction.path == folder.source->paths()[i]);
    CHECK(prediction.right_classes() == folder.samples[i].labels);
    REQUIRE(prediction.label.has_value());
    std::vector<float> input(3 * kImageSize * kImageSize);
    Preprocessor({}, kImageSize)(read_image(scratch.path() / prediction.path), input);
    std::vector<float> logits(kClasses);
    classify(input, 1, logits);
    REQUIRE(prediction.top5.size() == 5);
    CHECK(prediction.top5 == top_k(logits, 5));
    for (size_t k = 0; k < 5; ++k)
      CHECK(prediction.logits[k] == logits[static_cast<size_t>(prediction.top5[k])]);
    right1 += prediction.top5[0] == *prediction.label;
    right5 += std::count(prediction.top5.begin(), prediction.top5.end(), *prediction.label);
  }
  CHECK(*one.top1 == Approx(100.0 * static_cast<double>(right1) / 7));
  CHECK(*one.top5 == Approx(100.0 * static_cast<double>(right5) / 7));
  for (const int64_t batch_size : {2, 3, 7, 64}) {
    const Run other = run(folder, batch_size);
    INFO("batch " << batch_size);
    CHECK(other.top1 == one.top1);
    CHECK(other.top5 == one.top5);
    REQUIRE(other.samples.size() == 7);
    for (size_t i = 0; i < 7; ++i) CHECK(other.samples[i].logits == one.samples[i].logits);
  }
}

TEST_CASE("a damaged image is reported and left out of the mean") {
  const TemporaryFolder scratch;
  const LabelledImages folder = make_folder(scratch.path() / "damaged", true);
  const Run whole = run(make_folder(scratch.path() / "whole", false), 3);
  for (const int64_t batch_size : {1, 3, 4, 64}) {
    INFO("batch " << batch_size);
    const Run result = run(folder, batch_size);
    CHECK(result.count == 6);
    REQUIRE(result.skipped->size() == 1);
    CHECK((*result.skipped)[0].path == "class1/b.jpg");
    CHECK_THAT((*result.skipped)[0].error,
               Catch::StartsWith((scratch.path() / "damaged/class1/b.jpg").string()));
    CHECK_THAT((*result.skipped)[0].error, Catch::Matchers::Contains("truncated JPEG"));
    REQUIRE(result.samples.size() == 6);
    for (size_t i = 0; i < 6; ++i) {
      CHECK(result.samples[i].logits == whole.samples[i < 3 ? i : i + 1].logits);
    }
    CHECK(evaluate(folder, 3, batch_size, constant({1, 2, 0})).top1.value() == Approx(100.0 * 2 / 6));
  }
}

TEST_CASE("progress is told after each batch and ends at the total") {
  const TemporaryFolder scratch;
  const LabelledImages folder = make_folder(scratch.path(), true);
  std::vector<size_t> told;
  run(folder, 3, [&](size_t done) { told.push_back(done); });
  CHECK(told == std::vector<size_t>{3, 6, 7});
}

TEST_CASE("logits with NaN are never right") {
  const TemporaryFolder scratch;
  const LabelledImages folder = make_folder(scratch.path(), false);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Run result = evaluate(folder, 3, 4, constant({nan, nan, nan}));
  CHECK(result.count == 7);
  CHECK(result.top1 == 0);
  CHECK(result.top5 == 0);
  CHECK(std::isnan(result.samples[0].logits[0]));
  CHECK(evaluate(folder, 3, 4, constant({5, 1, nan})).top1 == 0);
  CHECK(evaluate(folder, 3, 4, constant({5, 1, 0})).top5 == 100);
  CHECK(evaluate(folder, 3, 4, constant({5, 1, 0})).top1.value() == Approx(200.0 / 7));
}

TEST_CASE("an evaluation of images that none can be read fails") {
  const TemporaryFolder scratch;
  const LabelledImages folder = make_folder(scratch.path(), false);
  bool called = false;
  const RunBatch never = [&](std::span<const float>, int64_t, std::span<float>) { called = true; };
  for (const std::string& path : folder.source->paths()) fs::resize_file(scratch.path() / path, 20);
  try {
    evaluate(folder, 3, 4, never);
    FAIL("evaluated");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::Matchers::Contains("none of the 7 images"));
  }
  CHECK_FALSE(called);
  CHECK(evaluate({folder.source, {}, {}, {}, {}}, 3, 4, never).count == 0);
}

TEST_CASE("answers are taken from the valid classes only") {
  const TemporaryFolder scratch;
  LabelledImages data = make_folder(scratch.path(), false);
  data.valid_classes = {7, 2, 5};
  for (Sample& sample : data.samples) sample.labels = {5};
  // Class 0 is the best of all, 5 of the valid ones; the NaN stands at one that is not valid.
  const Run result = evaluate(data, kClasses, 4, constant({9, 8, 1, std::nanf(""), 0, 3, 0, 2, 0, 0}));
  CHECK(result.top1 == 100);
  CHECK(result.samples[0].top5 == std::vector<int64_t>{5, 7, 2});
  CHECK(result.samples[0].logits == std::vector<float>{3, 2, 1});
}

TEST_CASE("an image with several labels is right by any of them; one without counts nowhere") {
  const TemporaryFolder scratch;
  LabelledImages data = make_folder(scratch.path(), false);
  const std::vector<std::vector<int64_t>> labels = {{4, 9}, {9, 8}, {}, {8}, {4}, {0}, {}};
  for (size_t i = 0; i < labels.size(); ++i) data.samples[i].labels = labels[i];
  const Run result = evaluate(data, kClasses, 3, constant({0, 1, 2, 3, 9, 5, 6, 7, 8, 0}));
  CHECK(result.count == 5);
  CHECK(result.unlabelled == 2);
  CHECK(result.samples.size() == 7);
  CHECK(*result.top1 == Approx(40));
  CHECK(*result.top5 == Approx(80));
  REQUIRE(result.classes.size() == 4);
  CHECK(result.classes[0].id == 0);
  CHECK(result.classes[0].top5 == 0);
  CHECK(result.classes[1].id == 4);
  CHECK(result.classes[1].top1 == 100);
  CHECK(result.classes[3].id == 9);
  CHECK(result.classes[3].count == 2);
  CHECK(result.classes[3].top1 == 50);
  CHECK(result.classes[3].top5 == 100);
}

TEST_CASE("what a classifier throws comes out of evaluate") {
  const TemporaryFolder scratch;
  const LabelledImages folder = make_folder(scratch.path(), false);
  const RunBatch bad = [](std::span<const float>, int64_t, std::span<float>) {
    fail(ErrorCode::kUnsupported, "no such device");
  };
  CHECK_THROWS_WITH(evaluate(folder, 3, 2, bad), "no such device");
}
