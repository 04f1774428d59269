#include "eval/accuracy.h"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_invoke.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "eval/preprocess.h"
#include "formats/error.h"

namespace swinzoo::eval {

namespace {

// Up to batch_size samples' inputs. `inputs` is allocated once and used again.
struct Batch {
  std::vector<float> inputs;
  std::vector<const Sample*> samples;  // one for each of the inputs
  std::vector<SkippedSample> skipped;
};

class Loader {
 public:
  Loader(const ImageSource& source, const zoo::Preprocessing& preprocessing, int64_t image_size)
      : source_(source),
        preprocessors_(preprocessing, image_size),
        input_size_(static_cast<size_t>(3 * image_size * image_size)) {}

  size_t input_size() const { return input_size_; }

  void load(std::span<const Sample> samples, Batch& batch) {
    batch.inputs.resize(std::max(batch.inputs.size(), samples.size() * input_size_));
    std::vector<std::string> messages(samples.size());
    tbb::parallel_for(size_t{0}, samples.size(), [&](size_t i) {
      try {
        const ImageBytes stored = source_.read(samples[i].image);
        preprocessors_.local().decode(stored.bytes, source_.name_of(samples[i].image), input(batch, i));
      } catch (const Error& error) {
        messages[i] = error.what();
      }
    });
    batch.samples.clear();
    batch.skipped.clear();
    for (size_t i = 0; i < samples.size(); ++i) {
      if (!messages[i].empty()) {
        batch.skipped.push_back({source_.paths()[samples[i].image], messages[i]});
        continue;
      }
      const size_t place = batch.samples.size();
      if (place != i) std::ranges::copy(input(batch, i), input(batch, place).begin());
      batch.samples.push_back(&samples[i]);
    }
  }

 private:
  std::span<float> input(Batch& batch, size_t i) const {
    return std::span(batch.inputs).subspan(i * input_size_, input_size_);
  }

  const ImageSource& source_;
  tbb::enumerable_thread_specific<Preprocessor> preprocessors_;
  size_t input_size_;
};

// The best of the valid classes, of all where none are given.
Prediction predict(const LabelledImages& data, const Sample& sample, std::span<const float> logits) {
  const std::vector<int64_t>& valid = data.valid_classes;
  std::vector<float> chosen;
  for (const int64_t id : valid) chosen.push_back(logits[static_cast<size_t>(id)]);
  const std::span<const float> candidates = valid.empty() ? logits : chosen;
  Prediction prediction{data.source->paths()[sample.image], sample.labels, {}, {}, false};
  for (const int64_t place : top_k(candidates, 5)) {
    prediction.top.push_back(valid.empty() ? place : valid[static_cast<size_t>(place)]);
    prediction.logits.push_back(candidates[static_cast<size_t>(place)]);
  }
  prediction.has_nan =
      std::any_of(candidates.begin(), candidates.end(), [](float logit) { return std::isnan(logit); });
  return prediction;
}

// Whether one of the first k is right.
bool is_right(const Prediction& prediction, size_t k) {
  const auto end = prediction.top.begin() + static_cast<ptrdiff_t>(std::min(k, prediction.top.size()));
  const auto is_label = [&](int64_t id) {
    return std::ranges::find(prediction.labels, id) != prediction.labels.end();
  };
  return !prediction.has_nan && std::any_of(prediction.top.begin(), end, is_label);
}

void count(const Prediction& prediction, AccuracyResult& result) {
  if (prediction.labels.empty()) {
    ++result.unlabelled;
    return;
  }
  const bool right1 = is_right(prediction, 1);
  const bool right5 = is_right(prediction, 5);
  ++result.count;
  result.right1 += right1;
  result.right5 += right5;
  for (const int64_t id : prediction.labels) {
    ClassCount& of_class = result.by_class[id];
    ++of_class.count;
    of_class.right1 += right1;
    of_class.right5 += right5;
  }
}

double percent(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<int64_t> top_k(std::span<const float> logits, int64_t k) {
  using Entry = std::pair<float, int64_t>;
  const auto before = [](const Entry& a, const Entry& b) {
    return (std::isnan(a.first) && !std::isnan(b.first)) || a.first > b.first;
  };
  std::vector<Entry> entries;
  entries.reserve(logits.size());
  for (const float logit : logits) entries.emplace_back(logit, static_cast<int64_t>(entries.size()));
  k = std::min(k, static_cast<int64_t>(entries.size()));
  // The calls of PyTorch's aten/src/ATen/native/TopKImpl.h, since they decide where ties fall.
  if (k * 64 <= static_cast<int64_t>(entries.size())) {
    std::partial_sort(entries.begin(), entries.begin() + k, entries.end(), before);
  } else if (k > 0) {
    std::nth_element(entries.begin(), entries.begin() + k - 1, entries.end(), before);
    std::sort(entries.begin(), entries.begin() + k - 1, before);
  }
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < k; ++i) ids.push_back(entries[static_cast<size_t>(i)].second);
  return ids;
}

AccuracyResult evaluate(const LabelledImages& data, const zoo::Preprocessing& preprocessing,
                        int64_t image_size, int64_t num_classes, int64_t batch_size,
                        const Classifier& classifier, const EvaluateOptions& options) {
  assert(num_classes > 0 && batch_size > 0);
  Loader loader(*data.source, preprocessing, image_size);
  const std::span<const Sample> samples(data.samples);
  const auto part_at = [&](size_t begin) {
    return samples.subspan(begin, std::min(samples.size() - begin, static_cast<size_t>(batch_size)));
  };

  AccuracyResult result;
  std::vector<float> logits;
  const auto classify = [&](Batch& batch) {
    const size_t batch_count = batch.samples.size();
    const auto classes = static_cast<size_t>(num_classes);
    logits.resize(batch_count * classes);
    if (batch_count > 0) {
      classifier(std::span<const float>(batch.inputs).first(batch_count * loader.input_size()),
                 static_cast<int64_t>(batch_count), logits);
    }
    for (size_t i = 0; i < batch_count; ++i) {
      const auto row = std::span<const float>(logits).subspan(i * classes, classes);
      count(result.predictions.emplace_back(predict(data, *batch.samples[i], row)), result);
    }
    std::ranges::move(batch.skipped, std::back_inserter(result.skipped));
    result.top1 = percent(result.right1, result.count);
    result.top5 = percent(result.right5, result.count);
    if (options.progress) {
      const auto done = std::ssize(result.predictions) + std::ssize(result.skipped);
      options.progress({done, std::ssize(samples), result.top1, result.top5});
    }
  };

  Batch current;
  Batch next;
  loader.load(part_at(0), current);
  for (size_t begin = 0; begin < samples.size(); begin += part_at(begin).size()) {
    const auto following = part_at(begin + part_at(begin).size());
    tbb::parallel_invoke([&] { loader.load(following, next); }, [&] { classify(current); });
    std::swap(current, next);
  }
  if (result.predictions.empty() && !result.skipped.empty()) {
    fail(ErrorCode::kCorrupt, "none of the {} images could be read; the first: {}", samples.size(),
         result.skipped.front().message);
  }
  return result;
}

}  // namespace swinzoo::eval
