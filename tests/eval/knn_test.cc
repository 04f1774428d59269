#include "eval/knn.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "formats/error.h"
#include "formats/json.h"
#include "tests/error_code.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

// The features of tests/data/make_knn_cases.py: whole numbers of a fixed sequence, so that both programs
// have the same without a file.
std::vector<float> made_features(size_t count, size_t width, uint64_t seed) {
  std::vector<float> features;
  uint64_t state = seed;
  for (size_t i = 0; i < count * width; ++i) {
    state = (state * 6364136223846793005u + 1442695040888963407u);
    features.push_back(static_cast<float>(static_cast<int64_t>(state >> 33) % 201 - 100));
  }
  return features;
}

}  // namespace

TEST_CASE("k-NN votes as NumPy says") {
  const json::value expected = read_json(SWINZOO_TEST_DATA "/labels/knn.json");
  for (const json::value& value : expected.at("cases").as_array()) {
    const auto number = [&](const char* name) { return static_cast<size_t>(as_int(value.at(name), name)); };
    const size_t train = number("train");
    const size_t width = number("width");
    const size_t classes = number("classes");
    INFO(train << " training embeddings");
    std::vector<int64_t> labels;
    for (size_t i = 0; i < train; ++i) labels.push_back(static_cast<int64_t>(i * 7 % classes));
    const KnnClassifier knn(made_features(train, width, 1), labels, width, static_cast<int64_t>(classes));
    const json::array& rows = value.at("votes").as_array();
    const std::vector<float> queries = made_features(rows.size(), width, 2);
    std::vector<float> votes(rows.size() * classes);
    knn.vote(queries, std::ssize(rows), votes);
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t c = 0; c < classes; ++c) {
        CHECK(votes[i * classes + c] == Approx(as_number(rows[i].at(c), "vote")).epsilon(1e-6));
      }
      std::vector<float> alone(classes);
      knn.vote(std::span(queries).subspan(i * width, width), 1, alone);
      CHECK(std::equal(alone.begin(), alone.end(), votes.begin() + static_cast<ptrdiff_t>(i * classes)));
    }
  }
}

TEST_CASE("training embeddings leave out what has no class or could not be read") {
  std::vector<EvalSample> samples(4);
  samples[0].set_right_classes({1});
  samples[2].set_right_classes({0});
  samples[3].set_right_classes({2});
  TrainingEmbeddings training({}, samples, 2, "", false);
  training.take(std::vector<float>{3, 4});
  training.take(std::vector<float>{9, 9});
  training.take(std::vector<float>{0, 1});
  training.skip("damaged");
  const KnnClassifier knn = training.finish(3);
  CHECK(knn.size() == 2);
  std::vector<float> votes(3);
  knn.vote(std::vector<float>{0, 5}, 1, votes);
  CHECK(votes[0] == Approx(std::exp(1 / 0.07)));
  CHECK(votes[1] == Approx(std::exp(0.8 / 0.07)));
  CHECK(votes[2] == 0);
  TrainingEmbeddings none({}, std::vector<EvalSample>(1), 2, "", false);
  none.take(std::vector<float>{1, 1});
  CHECK(code_of([&] { none.finish(3); }) == ErrorCode::kCorrupt);
}
