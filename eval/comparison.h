// What comes of comparing results: for each configuration that both sides have, and each measure, how much
// worse the new side is, how sure that is, and a verdict. compare_runs.h and compare_slices.h make it of
// runs, comparison_writer.h writes it.
//
// "Worse by" is positive where the new side is worse, whichever way the measure goes: in percent of the cost
// of a call (time, memory; for throughput time per image), or in points of accuracy.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/fields.h"
#include "eval/statistics.h"

namespace swinzoo::eval {

enum class Measure { kTop1, kTop5, kDigest, kLatency, kThroughput, kMemory, kLoad };

struct MeasureInfo {
  Measure measure;
  const char* name;
  const char* unit;
  bool is_accuracy;       // of what is computed, not of how fast: exit status 10, not 11
  bool is_better_larger;  // throughput, accuracy
};
std::span<const MeasureInfo> measures();
const MeasureInfo& info_of(Measure measure);

// What fails a comparison.
struct Rules {
  // By measure: worse by more than this is a regression (percent; points of accuracy; 0 for the digest). A
  // measure without one is shown, and not judged.
  std::array<std::optional<double>, 7> thresholds;
  // How far two runs of the same thing lie apart, percent, where base's own repeats don't tell. On shared
  // machines tens of percent from minute to minute were seen (docs/compare.md).
  double noise = 30;
  double alpha = 0.05;  // false discoveries of those that are called better or worse
  bool across_machines = false;

  std::optional<double>& threshold(Measure measure) { return thresholds[static_cast<size_t>(measure)]; }
  const std::optional<double>& threshold(Measure measure) const {
    return thresholds[static_cast<size_t>(measure)];
  }
};

inline constexpr const char* kDefaultFailOn = "accuracy>0.1,latency>3%,throughput>3%,memory>5%";

// Thresholds from a text such as kDefaultFailOn: MEASURE>NUMBER, split by commas; with % for all but
// accuracy, which is in points and stands for top1 and top5; "digest" alone: any other bits. Throws kUsage,
// beginning with `where`.
void set_thresholds(Rules& rules, std::string_view fail_on, const std::string& where);

// A number of percent, "3%". Throws kUsage, beginning with `where`.
double parse_percent(std::string_view text, const std::string& where);

struct MeasureResult {
  std::string measure;
  std::string unit;
  std::string verdict;  // better, worse, same, inconclusive; empty where it is not judged
  std::string why;      // of inconclusive
  std::optional<double> base, next;
  std::optional<double> worse_by, worse_by_low, worse_by_high;
  std::optional<double> p, p_adjusted;
  std::optional<double> effect;
  std::optional<double> threshold;
  std::optional<double> noise_floor;
  std::optional<int64_t> base_count, next_count;
  std::optional<bool> confirmed;
  std::vector<double> base_samples, next_samples;

  bool operator==(const MeasureResult&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, MeasureResult>
void visit_fields(Self& row, Visit&& visit) {
  const auto field = [&](const char* name, auto& member, const char* unit, const char* about) {
    visit(Field{.name = name, .unit = unit, .about = about}, member);
  };
  field("measure", row.measure, "", "`top1`, `top5`, `digest`, `latency`, `throughput`, `memory`, `load`");
  field("unit", row.unit, "", "of `base`, `new` and the samples");
  field("verdict", row.verdict, "",
        "`better`, `worse`, `same` or `inconclusive`; missing where it is not judged");
  field("why", row.why, "", "why it is inconclusive");
  field("base", row.base, "", "base's figure, a median where there are several");
  field("new", row.next, "", "the new side's figure");
  field("worse_by", row.worse_by, "%", "how much worse the new side is; points for `top1` and `top5`");
  field("worse_by_low", row.worse_by_low, "%", "lower end of its 95% interval");
  field("worse_by_high", row.worse_by_high, "%", "its upper end");
  field("p", row.p, "", "how likely such a difference is by chance");
  field("p_adjusted", row.p_adjusted, "",
        "the same after Benjamini and Hochberg's correction for all measures judged");
  field("effect", row.effect, "",
        "-1 to 1: the share of pairs where the new side is worse, less the share where it is better");
  field("threshold", row.threshold, "%", "worse by more than this is a regression");
  field("noise_floor", row.noise_floor, "%", "how far base lies from itself");
  field("base_count", row.base_count, "", "base's samples: slices, runs, or images");
  field("new_count", row.next_count, "", "the new side's");
  field("confirmed", row.confirmed, "", "with `--run`: whether a second measurement said worse too");
  field("base_samples", row.base_samples, "", "base's slices or runs, in their order");
  field("new_samples", row.next_samples, "", "the new side's");
}

// An image that only one side got right.
struct Flip {
  std::string path;
  int64_t base = -1;  // the first class of each side
  int64_t next = -1;

  bool operator==(const Flip&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, Flip>
void visit_fields(Self& flip, Visit&& visit) {
  visit(Field{.name = "path", .about = "the image, from the data's folder on"}, flip.path);
  visit(Field{.name = "base", .about = "base's first class"}, flip.base);
  visit(Field{.name = "new", .about = "the new side's"}, flip.next);
}

struct ConfigurationResult {
  std::string configuration;
  std::string base;  // what base is called: a file, a command
  std::string next;
  std::vector<MeasureResult> measures;
  std::vector<Flip> lost, gained;
  std::vector<std::string> notes;

  bool operator==(const ConfigurationResult&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, ConfigurationResult>
void visit_fields(Self& result, Visit&& visit) {
  const auto field = [&](const char* name, auto& member, const char* about) {
    visit(Field{.name = name, .about = about}, member);
  };
  field("configuration", result.configuration, "what was measured, and how");
  field("base", result.base, "where base's results come from");
  field("new", result.next, "where the new side's come from");
  field("measures", result.measures, "an object a measure");
  field("lost", result.lost, "images that only base gets right");
  field("gained", result.gained, "images that only the new side gets right");
  field("notes", result.notes, "what to know when reading it");
}

struct Comparison {
  std::vector<ConfigurationResult> results;
};

// Gives all measures of a comparison their p_adjusted and verdict, by the rules. A `why` that is there
// already makes a measure inconclusive. With limit = the larger of threshold and noise floor:
//   worse   the whole interval lies above the limit, and p_adjusted is at most alpha (where there is a p)
//   better  the whole interval lies below -limit, and so on
//   same    the whole interval lies at or below the threshold, and so does the noise floor
// and inconclusive else.
void judge(Comparison& comparison, const Rules& rules);

// Whether there is a verdict at all: the rules may be of nothing that the results have.
bool is_judged(const Comparison& comparison);

// 10 for a regression of accuracy, else 11 for one of performance, else 12 where something is inconclusive or
// nothing was judged, else 0.
int exit_status(const Comparison& comparison);

}  // namespace swinzoo::eval
