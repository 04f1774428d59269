#include "eval/compare_slices.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "eval/compare_runs.h"
#include "eval/run_setup.h"
#include "eval/significance.h"
#include "formats/error.h"

namespace swinzoo::eval {
namespace {

constexpr int kLooks = 3;
constexpr size_t kLeastRounds = 8;  // fewer can't be significant among several measures
constexpr const char* kNotSeenAgain = "worse at first, but not clearly when measured again";
constexpr const char* kSeenLate = "worse only in all rounds together, which was not measured again";

using Slice = std::vector<Run>;                  // a run a configuration
using Rounds = std::vector<std::vector<Slice>>;  // by round, then by side

class Measurement {
 public:
  Measurement(const std::vector<std::string>& names, const TakeSlice& take, Clock& clock, const Rules& rules,
              const SliceOptions& options)
      : names_(names),
        take_(take),
        clock_(clock),
        rules_(rules),
        options_(options),
        order_(options.bootstrap.seed),
        start_(clock.now()) {}

  // Rounds until so many looks' time is over; one at least.
  void take_until(int look, Rounds& rounds) {
    const double end = options_.seconds * look / kLooks;
    do {
      rounds.push_back(take_round());
    } while (std::chrono::duration<double>(clock_.now() - start_).count() < end);
  }

  Comparison compare(const Rounds& rounds) const {
    Comparison comparison;
    for (size_t side = 1; side < names_.size(); ++side) {
      for (size_t i = 0; i < configurations_.size(); ++i)
        comparison.results.push_back(compare(rounds, side, i));
    }
    judge(comparison, rules_);
    return comparison;
  }

 private:
  std::vector<Slice> take_round() {
    std::vector<size_t> sides(names_.size());
    std::iota(sides.begin(), sides.end(), size_t{0});
    std::shuffle(sides.begin(), sides.end(), order_);
    std::vector<Slice> round(names_.size());
    for (const size_t side : sides) {
      round[side] = take_(side);
      check(round[side], side);
    }
    return round;
  }

  // That each slice holds what the first one does; the model may be another.
  void check(const Slice& slice, size_t side) {
    if (configurations_.empty()) {
      for (const Run& run : slice) {
        configurations_.push_back(configuration_of(run));
        setups_.push_back(setup_text(run));
      }
      if (slice.empty()) fail(ErrorCode::kFailed, "{}: it gave no results", names_[side]);
      for (const MeasureInfo& info : measures()) {
        if (!info.is_accuracy && figure_of(slice.front(), info.measure).has_value())
          measures_.push_back(info.measure);
      }
      if (measures_.empty()) fail(ErrorCode::kFailed, "{}: its results hold no figure", names_[side]);
    }
    if (slice.size() != configurations_.size()) {
      fail(ErrorCode::kFailed, "{}: expected {} results, as in the first slice, found {}", names_[side],
           configurations_.size(), slice.size());
    }
    for (size_t i = 0; i < slice.size(); ++i) {
      const Run& run = slice[i];
      if (setup_text(run) != setups_[i]) {
        fail(ErrorCode::kFailed, "{}: expected {}, as in the first slice, found {}", names_[side], setups_[i],
             setup_text(run));
      }
      for (const Measure measure : measures_) {
        if (figure_of(run, measure).value_or(0) > 0) continue;
        fail(ErrorCode::kFailed, "{}: {}: expected a {}, found none", names_[side], configuration_of(run),
             info_of(measure).name);
      }
    }
  }

  ConfigurationResult compare(const Rounds& rounds, size_t side, size_t configuration) const {
    ConfigurationResult result;
    result.configuration = configurations_[configuration];
    result.base = names_.front();
    result.next = names_[side];
    for (const Measure measure : measures_)
      result.measures.push_back(compare(rounds, side, configuration, measure));
    const std::vector<Slice>& first = rounds.front();
    if (auto row = digest_row(first.front()[configuration], first[side][configuration], rules_))
      result.measures.push_back(std::move(*row));
    return result;
  }

  MeasureResult compare(const Rounds& rounds, size_t side, size_t configuration, Measure measure) const {
    MeasureResult row = empty_row(measure, rules_);
    std::vector<double> steps;  // logarithms of ratios within rounds
    std::vector<double> own;    // of base's between rounds
    for (const std::vector<Slice>& round : rounds) {
      const double base = *figure_of(round.front()[configuration], measure);
      const double next = *figure_of(round[side][configuration], measure);
      row.base_samples.push_back(base);
      row.next_samples.push_back(next);
      const double step = std::log(next / base);
      steps.push_back(info_of(measure).is_better_larger ? -step : step);
      if (row.base_samples.size() % 2 == 0)
        own.push_back(std::log(base / row.base_samples[row.base_samples.size() - 2]));
    }
    const auto percent = [](double step) { return 100 * std::expm1(step); };
    row.base_count = row.next_count = std::ssize(steps);
    row.base = median(row.base_samples);
    row.next = median(row.next_samples);
    row.worse_by = percent(median(steps));
    const Interval interval = bootstrap_median(steps, options_.bootstrap);
    row.worse_by_low = percent(interval.low);
    row.worse_by_high = percent(interval.high);
    const auto worse = std::count_if(steps.begin(), steps.end(), [](double step) { return step > 0; });
    const auto better = std::count_if(steps.begin(), steps.end(), [](double step) { return step < 0; });
    row.p = mcnemar(better, worse);
    row.effect = static_cast<double>(worse - better) / static_cast<double>(steps.size());
    if (!own.empty()) row.noise_floor = percent(median_reach(own, steps.size(), options_.bootstrap));
    if (row.threshold.has_value() && steps.size() < kLeastRounds) {
      row.why =
          fmt::format("too few rounds: {}; {} are needed, so give it more time", steps.size(), kLeastRounds);
    }
    return row;
  }

  const std::vector<std::string>& names_;
  const TakeSlice& take_;
  Clock& clock_;
  const Rules& rules_;
  const SliceOptions& options_;
  std::mt19937_64 order_;
  const std::chrono::nanoseconds start_;
  std::vector<std::string> configurations_;  // of the first slice
  std::vector<std::string> setups_;          // theirs but for the model
  std::vector<Measure> measures_;            // that it has
};

bool has_verdict(const Comparison& comparison, std::string_view verdict) {
  return std::any_of(comparison.results.begin(), comparison.results.end(), [&](const auto& result) {
    return std::any_of(result.measures.begin(), result.measures.end(),
                       [&](const MeasureResult& row) { return row.verdict == verdict; });
  });
}

// Whether a second measurement says what a first one did: that it is worse by more than the noise floor, and
// not by chance.
bool is_confirmed(const MeasureResult& second, const Rules& rules) {
  if (!second.p.has_value()) return second.verdict == "worse";
  return *second.p <= rules.alpha && *second.worse_by > second.noise_floor.value_or(0);
}

// Calls visit(a row of all, its verdict at first, that row of the second). All are of the same sides and
// configurations, so that their rows stand at the same places.
template <typename Visit>
void for_each_row(Comparison& all, const Comparison& first, const Comparison& second, const Visit& visit) {
  for (size_t i = 0; i < all.results.size(); ++i) {
    for (size_t j = 0; j < all.results[i].measures.size(); ++j) {
      visit(all.results[i].measures[j], first.results[i].measures[j].verdict, second.results[i].measures[j]);
    }
  }
}

// The figures of all rounds; what is worse in these is so only if both measurements said so.
Comparison confirmed(Comparison all, const Comparison& first, const Comparison& second, const Rules& rules) {
  for_each_row(all, first, second,
               [&](MeasureResult& row, const std::string& at_first, const MeasureResult& again) {
                 if (at_first == "worse") row.confirmed = is_confirmed(again, rules);
                 if (row.confirmed == true || (at_first != "worse" && row.verdict != "worse")) return;
                 row.verdict = "inconclusive";
                 row.why = row.confirmed.has_value() ? kNotSeenAgain : kSeenLate;
               });
  return all;
}

}  // namespace

Comparison compare_slices(const std::vector<std::string>& names, const TakeSlice& take, Clock& clock,
                          const Rules& rules, const SliceOptions& options) {
  assert(names.size() > 1);
  Measurement measurement(names, take, clock, rules, options);
  Rounds rounds;
  int look = 1;
  measurement.take_until(look, rounds);
  Comparison first = measurement.compare(rounds);
  if (has_verdict(first, "inconclusive") && !has_verdict(first, "worse")) {
    measurement.take_until(++look, rounds);
    first = measurement.compare(rounds);
  }
  if (!has_verdict(first, "worse")) return first;

  Rounds again;
  Comparison result;
  do {
    measurement.take_until(++look, again);
    Rounds all = rounds;
    all.insert(all.end(), again.begin(), again.end());
    result = confirmed(measurement.compare(all), first, measurement.compare(again), rules);
  } while (look < kLooks && has_verdict(result, "inconclusive"));
  return result;
}

}  // namespace swinzoo::eval
