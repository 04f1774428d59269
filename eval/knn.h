// Weighted k-nearest-neighbour classification of embeddings, as DINO defines it (arXiv 2104.14294, appendix
// F.1; facebookresearch/dino's eval_knn.py): for a model without a classifier, or with one of other classes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/run.h"
#include "eval/sample_log.h"

namespace swinzoo::eval {

inline constexpr int64_t kNeighbours = 20;    // DINO's best on ImageNet
inline constexpr double kTemperature = 0.07;  // so too

// Immutable, so safe to share between threads.
class KnnClassifier {
 public:
  // embeddings: labels.size() x width; they are kept at unit length. labels: of classes below num_classes.
  // REQUIRES: at least one.
  KnnClassifier(std::vector<float> embeddings, std::vector<int64_t> labels, size_t width,
                int64_t num_classes);

  int64_t size() const { return static_cast<int64_t>(labels_.size()); }
  int64_t num_classes() const { return num_classes_; }

  // A vote for each class, for each of `count` embeddings: over the 20 training embeddings of greatest cosine
  // (all where there are fewer; ties fall to the earlier one), the sum of exp(cosine / 0.07) of those that
  // are of the class. `votes` is count x num_classes. Runs on TBB's threads; the result depends on neither
  // them nor the count.
  void vote(std::span<const float> embeddings, int64_t count, std::span<float> votes) const;

 private:
  void vote_one(std::span<const float> unit, std::span<const size_t> candidates,
                std::span<float> votes) const;

  std::vector<float> embeddings_;
  std::vector<int64_t> labels_;
  size_t width_;
  int64_t num_classes_;
};

// The embeddings of training images as they come, kept in a folder (sample_log.h) where there is one. Those
// that can't be read, and those without a class, are left out. Not thread-safe.
class TrainingEmbeddings {
 public:
  // run: what is known before (config.json). Throws as SampleLog.
  TrainingEmbeddings(const Run& run, std::vector<EvalSample> samples, size_t width,
                     const std::filesystem::path& folder, bool restart);

  size_t size() const { return samples_.size(); }
  size_t done() const { return done_; }

  void take(std::span<const float> embedding);
  void skip(const std::string& message);
  void flush();

  // Throws kCorrupt if there is no embedding with a class. REQUIRES: done() == size(); called once, last.
  KnnClassifier finish(int64_t num_classes);

 private:
  std::vector<EvalSample> samples_;
  size_t width_;
  std::vector<float> embeddings_;  // of all samples so far, zeros for skipped ones
  std::optional<SampleLog> log_;
  size_t done_ = 0;
};

}  // namespace swinzoo::eval
