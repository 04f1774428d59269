#include "eval/accuracy.h"

#include <tbb/parallel_for.h>
#include <tbb/parallel_invoke.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "eval/image.h"
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
  Loader(const zoo::Preprocessing& preprocessing, int64_t image_size)
      : preprocessing_(preprocessing),
        image_size_(image_size),
        input_size_(static_cast<size_t>(3 * image_size * image_size)) {}

  size_t input_size() const { return input_size_; }

  void load(std::span<const Sample> samples, Batch& batch) const {
    batch.inputs.resize(std::max(batch.inputs.size(), samples.size() * input_size_));
    std::vector<std::string> messages(samples.size());
    tbb::parallel_for(size_t{0}, samples.size(), [&](size_t i) {
      try {
        const Image image = read_image(samples[i].path);
        preprocess(image, preprocessing_, image_size_, input(batch, i));
      } catch (const Error& error) {
        messages[i] = error.what();
      }
    });
    batch.samples.clear();
    batch.skipped.clear();
    for (size_t i = 0; i < samples.size(); ++i) {
      if (!messages[i].empty()) {
        batch.skipped.push_back({samples[i].path, messages[i]});
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

  zoo::Preprocessing preprocessing_;
  int64_t image_size_;
  size_t input_size_;
};

Prediction predict(const Sample& sample, std::span<const float> logits) {
  Prediction prediction{sample.path, sample.label, top_k(logits, 5), {}, false};
  for (const int64_t id : prediction.top) prediction.logits.push_back(logits[static_cast<size_t>(id)]);
  prediction.has_nan =
      std::any_of(logits.begin(), logits.end(), [](float logit) { return std::isnan(logit); });
  return prediction;
}

// Whether the label is among the first k.
bool is_right(const Prediction& prediction, size_t k) {
  const auto end = prediction.top.begin() + static_cast<ptrdiff_t>(std::min(k, prediction.top.size()));
  return !prediction.has_nan && std::find(prediction.top.begin(), end, prediction.label) != end;
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

AccuracyResult evaluate(const ImageFolder& folder, const zoo::Preprocessing& preprocessing,
                        int64_t image_size, int64_t num_classes, int64_t batch_size,
                        const Classifier& classifier, const EvaluateOptions& options) {
  assert(num_classes > 0 && batch_size > 0);
  for (const Sample& sample : folder.samples) {
    if (sample.label < num_classes) continue;
    fail(ErrorCode::kCorrupt, "{}: has label {} ({} classes in the folder), but the model has {} classes",
         sample.path.string(), sample.label, folder.classes.size(), num_classes);
  }

  const Loader loader(preprocessing, image_size);
  const std::span<const Sample> samples(folder.samples);
  const auto part_at = [&](size_t begin) {
    return samples.subspan(begin, std::min(samples.size() - begin, static_cast<size_t>(batch_size)));
  };

  AccuracyResult result;
  int64_t right1 = 0;
  int64_t right5 = 0;
  std::vector<float> logits;
  const auto classify = [&](Batch& batch) {
    const size_t count = batch.samples.size();
    const auto classes = static_cast<size_t>(num_classes);
    logits.resize(count * classes);
    if (count > 0) {
      classifier(std::span<const float>(batch.inputs).first(count * loader.input_size()),
                 static_cast<int64_t>(count), logits);
    }
    for (size_t i = 0; i < count; ++i) {
      const Prediction& prediction = result.predictions.emplace_back(
          predict(*batch.samples[i], std::span<const float>(logits).subspan(i * classes, classes)));
      right1 += is_right(prediction, 1);
      right5 += is_right(prediction, 5);
    }
    std::ranges::move(batch.skipped, std::back_inserter(result.skipped));
    result.count = static_cast<int64_t>(result.predictions.size());
    result.top1 = percent(right1, result.count);
    result.top5 = percent(right5, result.count);
    if (options.progress) {
      const auto done = result.count + static_cast<int64_t>(result.skipped.size());
      options.progress({done, static_cast<int64_t>(samples.size()), result.top1, result.top5});
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
  if (result.count == 0 && !result.skipped.empty()) {
    fail(ErrorCode::kCorrupt, "none of the {} images could be read; the first: {}", samples.size(),
         result.skipped.front().message);
  }
  return result;
}

}  // namespace swinzoo::eval
