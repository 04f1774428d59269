#include "eval/accuracy.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace swinzoo::eval {
namespace {

// Whether one of the first k is right.
bool is_right(const EvalSample& sample, std::span<const int64_t> right, size_t k) {
  const auto end = sample.top5.begin() + static_cast<ptrdiff_t>(std::min(k, sample.top5.size()));
  const auto is_class = [&](int64_t id) { return std::ranges::find(right, id) != right.end(); };
  return std::any_of(sample.top5.begin(), end, is_class);
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

void set_prediction(EvalSample& sample, std::span<const float> logits,
                    std::span<const int64_t> valid_classes) {
  std::vector<float> chosen;
  for (const int64_t id : valid_classes) chosen.push_back(logits[static_cast<size_t>(id)]);
  const std::span<const float> candidates = valid_classes.empty() ? logits : chosen;
  sample.top5.clear();
  sample.logits.clear();
  for (const int64_t place : top_k(candidates, 5)) {
    sample.top5.push_back(valid_classes.empty() ? place : valid_classes[static_cast<size_t>(place)]);
    sample.logits.push_back(candidates[static_cast<size_t>(place)]);
  }
}

void Accuracy::add(const EvalSample& sample) {
  const std::vector<int64_t> right = sample.right_classes();
  if (right.empty()) {
    ++unlabelled;
    return;
  }
  const bool is_finite = std::ranges::all_of(sample.logits, [](float logit) { return std::isfinite(logit); });
  const bool is_first = is_finite && is_right(sample, right, 1);
  const bool is_among5 = is_finite && is_right(sample, right, 5);
  ++count;
  right1 += is_first;
  right5 += is_among5;
  for (const int64_t id : right) {
    ClassCount& of_class = by_class[id];
    ++of_class.count;
    of_class.right1 += is_first;
    of_class.right5 += is_among5;
  }
}

double Accuracy::top1() const { return percent(right1, count); }
double Accuracy::top5() const { return percent(right5, count); }

}  // namespace swinzoo::eval
