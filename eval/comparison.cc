#include "eval/comparison.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "eval/significance.h"
#include "formats/error.h"

namespace swinzoo::eval {
namespace {

constexpr std::array<MeasureInfo, 7> kMeasures = {{
    {Measure::kTop1, "top1", "%", true, true},
    {Measure::kTop5, "top5", "%", true, true},
    {Measure::kDigest, "digest", "", true, true},
    {Measure::kLatency, "latency", "ms", false, false},
    {Measure::kThroughput, "throughput", "1/s", false, true},
    {Measure::kMemory, "memory", "MiB", false, false},
    {Measure::kLoad, "load", "ms", false, false},
}};

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

void set_rule(Rules& rules, std::string_view rule, const std::string& where) {
  if (rule == "digest") {
    rules.threshold(Measure::kDigest) = 0;
    return;
  }
  const size_t sign = rule.find('>');
  const std::string_view name = trimmed(rule.substr(0, sign));
  const std::string_view limit = sign == std::string_view::npos ? "" : trimmed(rule.substr(sign + 1));
  const auto is_named = [&](const MeasureInfo& info) {
    if (info.measure == Measure::kDigest) return false;
    return name == info.name ||
           (name == "accuracy" && (info.measure == Measure::kTop1 || info.measure == Measure::kTop5));
  };
  const auto found = std::find_if(kMeasures.begin(), kMeasures.end(), is_named);
  if (found == kMeasures.end()) {
    fail(ErrorCode::kUsage,
         "{}: '{}': expected accuracy, top1, top5, latency, throughput, memory or load, with >NUMBER; or "
         "digest",
         where, rule);
  }
  double threshold = 0;
  if (found->is_accuracy) {
    const auto points = number_of(limit);
    if (!points.has_value())
      fail(ErrorCode::kUsage, "{}: '{}': expected points of accuracy, as in {}>0.1", where, rule, name);
    threshold = *points;
  } else {
    threshold = parse_percent(limit, fmt::format("{}: '{}'", where, rule));
  }
  for (const MeasureInfo& info : kMeasures) {
    if (is_named(info)) rules.threshold(info.measure) = threshold;
  }
}

// What can be told of a measure that has a threshold.
void judge(MeasureResult& row, double alpha) {
  if (!row.why.empty()) {
    row.verdict = "inconclusive";
    return;
  }
  const double threshold = *row.threshold;
  const double floor = row.noise_floor.value_or(0);
  const double limit = std::max(threshold, floor);
  const double low = row.worse_by_low.value();
  const double high = row.worse_by_high.value();
  const bool is_significant = !row.p_adjusted.has_value() || *row.p_adjusted <= alpha;
  if (low > limit && is_significant) {
    row.verdict = "worse";
  } else if (high < -limit && is_significant) {
    row.verdict = "better";
  } else if (high <= threshold && floor <= threshold) {
    row.verdict = "same";
  } else {
    row.verdict = "inconclusive";
    if (low > limit) {
      row.why = "too few samples: it may be chance";
    } else if (floor > threshold) {
      row.why = fmt::format("results of the same thing lie up to {:.0f}% apart here, more than the threshold",
                            floor);
    } else {
      row.why = "the interval lies on both sides of the threshold";
    }
  }
}

}  // namespace

std::span<const MeasureInfo> measures() { return kMeasures; }

const MeasureInfo& info_of(Measure measure) { return kMeasures[static_cast<size_t>(measure)]; }

double parse_percent(std::string_view text, const std::string& where) {
  const auto number =
      text.ends_with('%') ? number_of(trimmed(text.substr(0, text.size() - 1))) : std::nullopt;
  if (!number.has_value()) fail(ErrorCode::kUsage, "{}: expected a percentage such as 3%", where);
  return *number;
}

void set_thresholds(Rules& rules, std::string_view fail_on, const std::string& where) {
  rules.thresholds = {};
  while (true) {
    const size_t comma = fail_on.find(',');
    set_rule(rules, trimmed(fail_on.substr(0, comma)), where);
    if (comma == std::string_view::npos) return;
    fail_on.remove_prefix(comma + 1);
  }
}

void judge(Comparison& comparison, const Rules& rules) {
  std::vector<MeasureResult*> tested;
  std::vector<double> p;
  for (ConfigurationResult& result : comparison.results) {
    for (MeasureResult& row : result.measures) {
      if (!row.threshold.has_value() || !row.p.has_value()) continue;
      tested.push_back(&row);
      p.push_back(*row.p);
    }
  }
  const std::vector<double> adjusted = benjamini_hochberg(p);
  for (size_t i = 0; i < tested.size(); ++i) tested[i]->p_adjusted = adjusted[i];
  for (ConfigurationResult& result : comparison.results) {
    for (MeasureResult& row : result.measures) {
      if (row.threshold.has_value()) judge(row, rules.alpha);
    }
  }
}

bool is_judged(const Comparison& comparison) {
  return std::ranges::any_of(comparison.results, [](const ConfigurationResult& result) {
    return std::ranges::any_of(result.measures,
                               [](const MeasureResult& row) { return !row.verdict.empty(); });
  });
}

int exit_status(const Comparison& comparison) {
  const auto any = [&](std::string_view verdict, bool accuracy, bool performance) {
    for (const ConfigurationResult& result : comparison.results) {
      for (const MeasureResult& row : result.measures) {
        const auto info = std::find_if(kMeasures.begin(), kMeasures.end(), [&](const MeasureInfo& measure) {
          return measure.name == row.measure;
        });
        const bool is_accuracy = info != kMeasures.end() && info->is_accuracy;
        if (row.verdict == verdict && (is_accuracy ? accuracy : performance)) return true;
      }
    }
    return false;
  };
  if (any("worse", true, false)) return static_cast<int>(ErrorCode::kAccuracyRegression);
  if (any("worse", false, true)) return static_cast<int>(ErrorCode::kPerformanceRegression);
  if (any("inconclusive", true, true) || !is_judged(comparison))
    return static_cast<int>(ErrorCode::kInconclusive);
  return 0;
}

}  // namespace swinzoo::eval
