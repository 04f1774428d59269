#include "eval/knn.h"

#include <tbb/parallel_for.h>

#include <Eigen/Core>
#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

#include "formats/error.h"
#include "formats/npy.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {
namespace {

// At unit length; a vector of zeros stays one (torch.nn.functional.normalize, whose eps is 1e-12).
void normalize(std::span<float> vector) {
  double sum = 0;
  for (const float x : vector) sum += static_cast<double>(x) * static_cast<double>(x);
  const double length = std::max(std::sqrt(sum), 1e-12);
  for (float& x : vector) x = static_cast<float>(static_cast<double>(x) / length);
}

constexpr size_t kBlock = 4096;     // training embeddings that are multiplied at once
constexpr size_t kCandidates = 64;  // of a block: more than neighbours, for what rounding in float may swap

// In double, so that the votes don't depend on the order of a vectorised sum.
double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

KnnClassifier::KnnClassifier(std::vector<float> embeddings, std::vector<int64_t> labels, size_t width,
                             int64_t num_classes)
    : embeddings_(std::move(embeddings)),
      labels_(std::move(labels)),
      width_(width),
      num_classes_(num_classes) {
  assert(!labels_.empty() && embeddings_.size() == labels_.size() * width_);
  for (size_t i = 0; i < labels_.size(); ++i) normalize(std::span(embeddings_).subspan(i * width_, width_));
}

void KnnClassifier::vote(std::span<const float> embeddings, int64_t count, std::span<float> votes) const {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto width = static_cast<Eigen::Index>(width_);
  std::vector<float> units(embeddings.begin(), embeddings.end());
  const auto unit_of = [&](size_t i) { return std::span(units).subspan(i * width_, width_); };
  const auto queries = static_cast<size_t>(count);
  for (size_t i = 0; i < queries; ++i) normalize(unit_of(i));
  const Eigen::Map<const Matrix> right(units.data(), count, width);

  // The nearest of each block by products in float, some more than are wanted; vote_one() decides.
  const size_t blocks = (labels_.size() + kBlock - 1) / kBlock;
  std::vector<std::vector<size_t>> candidates(blocks * queries);
  tbb::parallel_for(size_t{0}, blocks, [&](size_t block) {
    const size_t begin = block * kBlock;
    const size_t rows = std::min(kBlock, labels_.size() - begin);
    const Eigen::Map<const Matrix> left(embeddings_.data() + begin * width_, static_cast<Eigen::Index>(rows),
                                        width);
    const Matrix cosines = right * left.transpose();
    for (size_t i = 0; i < queries; ++i) {
      std::vector<size_t>& nearest = candidates[i * blocks + block];
      nearest.resize(rows);
      std::iota(nearest.begin(), nearest.end(), begin);
      const size_t kept = std::min(rows, kCandidates);
      const float* cosine = cosines.row(static_cast<Eigen::Index>(i)).data();
      std::nth_element(nearest.begin(), nearest.begin() + static_cast<ptrdiff_t>(kept - 1), nearest.end(),
                       [&](size_t a, size_t b) { return cosine[a - begin] > cosine[b - begin]; });
      nearest.resize(kept);
    }
  });
  const auto classes = static_cast<size_t>(num_classes_);
  for (size_t i = 0; i < queries; ++i) {
    std::vector<size_t> all;
    for (size_t block = 0; block < blocks; ++block) {
      const std::vector<size_t>& some = candidates[i * blocks + block];
      all.insert(all.end(), some.begin(), some.end());
    }
    vote_one(unit_of(i), all, votes.subspan(i * classes, classes));
  }
}

void KnnClassifier::vote_one(std::span<const float> unit, std::span<const size_t> candidates,
                             std::span<float> votes) const {
  std::vector<std::pair<double, size_t>> nearest;
  for (const size_t i : candidates) {
    nearest.emplace_back(-dot(std::span(embeddings_).subspan(i * width_, width_), unit), i);
  }
  const size_t count = std::min(nearest.size(), static_cast<size_t>(kNeighbours));
  std::partial_sort(nearest.begin(), nearest.begin() + static_cast<ptrdiff_t>(count), nearest.end());
  std::vector<double> sums(votes.size());
  for (size_t i = 0; i < count; ++i) {
    sums[static_cast<size_t>(labels_[nearest[i].second])] += std::exp(-nearest[i].first / kTemperature);
  }
  std::ranges::copy(sums, votes.begin());
}

TrainingEmbeddings::TrainingEmbeddings(const Run& run, std::vector<EvalSample> samples, size_t width,
                                       const fs::path& folder, bool restart)
    : samples_(std::move(samples)), width_(width) {
  embeddings_.reserve(samples_.size() * width);
  if (folder.empty()) return;
  log_.emplace(folder, run, samples_, width, restart);
  done_ = log_->done().size();
  std::ranges::copy(log_->done(), samples_.begin());
  if (done_ == 0) return;
  const fs::path file = SampleFiles{folder}.outputs();
  const Tensor kept = read_npy(file);
  if (kept.shape() != Shape{static_cast<int64_t>(samples_.size()), static_cast<int64_t>(width)}) {
    fail(ErrorCode::kCorrupt, "{}: expected {} rows of {}", file.string(), samples_.size(), width);
  }
  const auto rows = kept.as<float>().first(done_ * width);
  embeddings_.assign(rows.begin(), rows.end());
}

void TrainingEmbeddings::take(std::span<const float> embedding) {
  assert(embedding.size() == width_);
  embeddings_.insert(embeddings_.end(), embedding.begin(), embedding.end());
  if (log_) log_->add(samples_[done_], embedding);
  ++done_;
}

void TrainingEmbeddings::skip(const std::string& message) {
  samples_[done_].error = message;
  embeddings_.resize(embeddings_.size() + width_);
  if (log_) log_->add(samples_[done_], {});
  ++done_;
}

void TrainingEmbeddings::flush() {
  if (log_) log_->flush();
}

KnnClassifier TrainingEmbeddings::finish(int64_t num_classes) {
  assert(done_ == samples_.size());
  flush();
  std::vector<int64_t> labels;
  size_t size = 0;
  for (size_t i = 0; i < samples_.size(); ++i) {
    const std::vector<int64_t> right = samples_[i].right_classes();
    if (!samples_[i].error.empty() || right.empty()) continue;
    std::copy_n(embeddings_.begin() + static_cast<ptrdiff_t>(i * width_), width_,
                embeddings_.begin() + static_cast<ptrdiff_t>(size));
    size += width_;
    labels.push_back(right.front());
  }
  embeddings_.resize(size);
  if (labels.empty())
    fail(ErrorCode::kCorrupt, "none of the {} training images could be read", samples_.size());
  return KnnClassifier(std::move(embeddings_), std::move(labels), width_, num_classes);
}

}  // namespace swinzoo::eval
