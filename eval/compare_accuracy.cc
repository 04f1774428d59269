#include "eval/compare_accuracy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "eval/compare_runs.h"
#include "eval/image_folder.h"
#include "eval/significance.h"

namespace swinzoo::eval {
namespace {

struct Right {
  bool top1 = false;
  bool top5 = false;
};

Right right_of(const EvalSample& sample) {
  const auto is_right = [&, classes = sample.right_classes()](int64_t answer) {
    return std::ranges::find(classes, answer) != classes.end();
  };
  return {!sample.top5.empty() && is_right(sample.top5.front()), std::ranges::any_of(sample.top5, is_right)};
}

struct Paired {
  int64_t count = 0, right = 0, lost = 0, gained = 0;  // right: in base

  void add(bool base, bool next) {
    ++count;
    right += base;
    lost += base && !next;
    gained += !base && next;
  }
};

// Sets what `row` has of a change of shares, from -1 to 1.
void set_change(MeasureResult& row, double base, double next, const Interval& interval, double p) {
  row.base = 100 * base;
  row.next = 100 * next;
  row.worse_by = 100 * (base - next);
  row.worse_by_low = 0 - 100 * interval.high;  // 0, where that is 0, without a sign
  row.worse_by_high = 0 - 100 * interval.low;
  row.p = p;
}

MeasureResult row_of(const Paired& paired, Measure measure, const Rules& rules,
                     const BootstrapOptions& options) {
  MeasureResult row = empty_row(measure, rules);
  row.base_count = row.next_count = paired.count;
  const auto share = [&](int64_t right) {
    return static_cast<double>(right) / static_cast<double>(paired.count);
  };
  set_change(row, share(paired.right), share(paired.right - paired.lost + paired.gained),
             bootstrap_paired_shares(paired.lost, paired.gained, paired.count, options),
             mcnemar(paired.lost, paired.gained));
  row.effect = share(paired.lost - paired.gained);
  return row;
}

// Why a row can't be judged by the images that both sides answered: empty where no more are lost to the new
// side than the threshold's share.
std::string why_lost(int64_t lost, int64_t answered, const MeasureResult& row) {
  if (!row.threshold.has_value() || lost <= 0) return "";
  if (100 * static_cast<double>(lost) <= *row.threshold * static_cast<double>(answered)) return "";
  return fmt::format("{} of {} images that base answered are missing or unreadable in the new side", lost,
                     answered);
}

void compare_images(const Run& base, const Run& next, const Rules& rules, const BootstrapOptions& options,
                    ConfigurationResult& result) {
  std::unordered_map<std::string_view, const EvalSample*> by_path;
  for (const EvalSample& sample : base.samples) by_path.emplace(sample.path, &sample);
  Paired top1, top5;
  size_t only_next = 0, other_labels = 0, unread = 0, both = 0;
  int64_t answered = 0, kept = 0;  // of images with a class: by base, and of these by the new side
  for (const EvalSample& sample : base.samples)
    answered += !sample.right_classes().empty() && sample.error.empty();
  for (const EvalSample& sample : next.samples) {
    const auto found = by_path.find(sample.path);
    if (found == by_path.end()) {
      ++only_next;
      continue;
    }
    ++both;
    const EvalSample& before = *found->second;
    kept += !before.right_classes().empty() && before.error.empty() && sample.error.empty();
    if (before.right_classes() != sample.right_classes()) {
      ++other_labels;
      continue;
    }
    if (sample.right_classes().empty()) continue;
    if (!before.error.empty() || !sample.error.empty()) {
      ++unread;
      continue;
    }
    const Right was = right_of(before);
    const Right is = right_of(sample);
    top1.add(was.top1, is.top1);
    top5.add(was.top5, is.top5);
    if (was.top1 == is.top1) continue;
    const auto first = [](const EvalSample& s) { return s.top5.empty() ? int64_t{-1} : s.top5.front(); };
    (was.top1 ? result.lost : result.gained).push_back({sample.path, first(before), first(sample)});
  }
  const auto by_name = [](const Flip& a, const Flip& b) { return natural_less(a.path, b.path); };
  std::ranges::sort(result.lost, by_name);
  std::ranges::sort(result.gained, by_name);
  if (both < base.samples.size() || only_next > 0) {
    result.notes.push_back(fmt::format("{} images are in both, {} only in base, {} only in the new side",
                                       both, base.samples.size() - both, only_next));
  }
  if (other_labels > 0)
    result.notes.push_back(
        fmt::format("{} images have other classes on the two sides, and are left out", other_labels));
  if (unread > 0)
    result.notes.push_back(fmt::format("{} images could not be read on one side, and are left out", unread));
  for (const auto& [paired, measure] : {std::pair(top1, Measure::kTop1), std::pair(top5, Measure::kTop5)}) {
    if (paired.count > 0) {
      MeasureResult& row = result.measures.emplace_back(row_of(paired, measure, rules, options));
      row.why = why_lost(answered - kept, answered, row);
    } else {
      MeasureResult& row = result.measures.emplace_back(empty_row(measure, rules));
      row.why = "no image is in both, with the same class";
    }
  }
}

bool have_same_counts(const Run& base, const Run& next) {
  return base.count == next.count && base.top1 == next.top1 && base.top5 == next.top5;
}

void compare_counts(const Run& base, const Run& next, Measure measure, const Rules& rules,
                    const BootstrapOptions& options, ConfigurationResult& result) {
  const auto before = figure_of(base, measure);
  const auto now = figure_of(next, measure);
  if (!before.has_value() || !base.count.has_value()) return;
  if (!now.has_value() || !next.count.has_value()) {
    MeasureResult& row = result.measures.emplace_back(empty_row(measure, rules));
    row.base = before;
    row.why = "the new side has no such figure";
    return;
  }
  const auto right = [](double percent, int64_t count) {
    return std::llround(percent / 100 * static_cast<double>(count));
  };
  const int64_t right1 = right(*before, *base.count);
  const int64_t right2 = right(*now, *next.count);
  MeasureResult& row = result.measures.emplace_back(empty_row(measure, rules));
  row.base_count = base.count;
  row.next_count = next.count;
  // As many right, and as many among the first five, of the same data: they may well be the same answers.
  const Interval interval = have_same_counts(base, next)
                                ? Interval{}
                                : bootstrap_shares(right1, *base.count, right2, *next.count, options);
  set_change(row, *before / 100, *now / 100, interval,
             two_proportions(right1, *base.count, right2, *next.count));
  row.why = why_lost(*base.count - *next.count, *base.count, row);
}

}  // namespace

void compare_accuracy(const Run& base, const Run& next, const Rules& rules, const BootstrapOptions& options,
                      ConfigurationResult& result) {
  if (!base.samples.empty() && !next.samples.empty()) {
    compare_images(base, next, rules, options, result);
    return;
  }
  for (const Measure measure : {Measure::kTop1, Measure::kTop5})
    compare_counts(base, next, measure, rules, options, result);
  if (!result.measures.empty() && !have_same_counts(base, next)) {
    result.notes.push_back(
        "compared by counts; evaluate both with --samples to compare image by image, which sees smaller "
        "differences");
  }
}

}  // namespace swinzoo::eval
