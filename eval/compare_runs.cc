#include "eval/compare_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "eval/compare_accuracy.h"
#include "eval/run_setup.h"
#include "eval/significance.h"
#include "formats/error.h"

namespace swinzoo::eval {
namespace {

constexpr size_t kSlices = 20;           // that the calls of a run are cut into
constexpr size_t kLeastRepeats = 5;      // runs a side from which runs are compared, not slices of them
constexpr size_t kLeastBaseRepeats = 3;  // runs of base that tell how far it lies from itself
constexpr int64_t kLeastSamples = 5;     // of times, a side
constexpr double kBusyOtherLoad = 0.5;   // processors that others kept busy
constexpr double kBusySteal = 5;         // percent of the time that other virtual machines took
constexpr size_t kShownDigest = 12;      // digits
constexpr double kMemoryNoise = 3;       // percent; 60 runs of one model lay within 2.2% (docs/compare.md)

using Runs = std::vector<const Run*>;

// One configuration on one side.
struct Group {
  std::string model;
  std::string weights;
  std::vector<std::string> setup;
  Runs runs;
  const Group* partner = nullptr;  // on the other side
};

bool is_same_model(const Group& a, const Group& b) { return a.model == b.model && a.setup == b.setup; }

bool is_same(const Group& a, const Group& b) { return is_same_model(a, b) && a.weights == b.weights; }

bool is_same_setup(const Group& a, const Group& b) { return a.setup == b.setup; }

std::vector<Group> groups_of(const ComparedSide& side) {
  std::vector<Group> groups;
  for (const Run& run : side.runs) {
    if (!run.error.empty()) continue;  // there are no figures
    const Group group = {run.model, run.weights_digest, compared_setup(run), {}, nullptr};
    auto found = std::ranges::find_if(groups, [&](const Group& other) { return is_same(group, other); });
    if (found == groups.end()) found = groups.insert(found, group);
    found->runs.push_back(&run);
  }
  return groups;
}

// Makes partners of what is the same; then of what is the only one left over on either side of its model and
// setup; then of its setup alone.
void pair_up(std::vector<Group>& bases, std::vector<Group>& nexts) {
  for (const auto is_alike : {&is_same, &is_same_model, &is_same_setup}) {
    const auto only_one = [&](std::vector<Group>& groups, const Group& wanted) {
      Group* only = nullptr;
      for (Group& group : groups) {
        if (group.partner != nullptr || !is_alike(group, wanted)) continue;
        if (only != nullptr) return static_cast<Group*>(nullptr);
        only = &group;
      }
      return only;
    };
    for (Group& base : bases) {
      if (base.partner != nullptr) continue;
      Group* const next = only_one(nexts, base);
      if (next == nullptr || only_one(bases, *next) != &base) continue;
      base.partner = next;
      next->partner = &base;
    }
  }
}

// A time or a rate that may stand below a fraction line: calls shorter than the clock's tick have none.
bool is_usable(double figure) { return figure > 0 && std::isfinite(figure); }

// A figure of each of some stretches of a run's calls, in their order; of the run itself where it has no
// calls. Usable ones only.
std::vector<double> slices_of(const Run& run, Measure measure) {
  const size_t count = std::min(run.samples_ms.size(), kSlices);
  const bool is_time = measure == Measure::kLatency || measure == Measure::kThroughput;
  if (!is_time || count == 0) {
    const auto figure = figure_of(run, measure);
    return figure.has_value() && is_usable(*figure) ? std::vector{*figure} : std::vector<double>{};
  }
  std::vector<double> figures;
  const std::span<const double> samples = run.samples_ms;
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = i * samples.size() / count;
    const auto slice = samples.subspan(begin, (i + 1) * samples.size() / count - begin);
    if (measure == Measure::kLatency) {
      figures.push_back(median(slice));
    } else {
      const auto images = static_cast<double>(run.batch.value_or(1) * run.streams.value_or(1));
      figures.push_back(1000 * images / mean(slice));
    }
  }
  std::erase_if(figures, [](double figure) { return !is_usable(figure); });
  return figures;
}

std::vector<double> figures_of(const Runs& runs, Measure measure, bool by_slice) {
  std::vector<double> figures;
  for (const Run* run : runs) {
    if (by_slice) {
      const auto slices = slices_of(*run, measure);
      figures.insert(figures.end(), slices.begin(), slices.end());
    } else if (const auto figure = figure_of(*run, measure); figure.has_value() && is_usable(*figure)) {
      figures.push_back(*figure);
    }
  }
  return figures;
}

// What is larger where it is worse.
std::vector<double> costs_of(std::vector<double> figures, Measure measure) {
  if (info_of(measure).is_better_larger) {
    for (double& figure : figures) figure = 1 / figure;
  }
  return figures;
}

// How far runs of the same lie apart: 95% of pairs of them lie closer, percent.
double spread_of(const std::vector<double>& figures) {
  std::vector<double> ratios;
  for (size_t i = 0; i < figures.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const auto [low, high] = std::minmax(figures[i], figures[j]);
      ratios.push_back(100 * (high / low - 1));
    }
  }
  return percentile(ratios, 95);
}

// How far the slices of a run lie apart, percent.
double drift_of(const Runs& runs, Measure measure) {
  double drift = 0;
  for (const Run* run : runs) {
    const auto slices = slices_of(*run, measure);
    if (slices.empty()) continue;
    drift = std::max(drift, 100 * (percentile(slices, 90) / percentile(slices, 10) - 1));
  }
  return drift;
}

// Whether base's repeats lie as far apart in time as base and the new side do: those of one session say
// nothing of how the machine changes until the next.
bool tell_of_the_time_between(const Runs& base, const Runs& next) {
  const auto at = [](const Run* run) { return seconds_of(run->started_at); };
  const auto [first, last] = std::ranges::minmax(base, {}, at);
  const auto [next_first, next_last] = std::ranges::minmax(next, {}, at);
  const double between = std::max(at(next_first) - at(last), at(first) - at(next_last));
  return between <= at(last) - at(first);
}

double noise_floor_of(const Runs& base, const Runs& next, Measure measure, const Rules& rules) {
  const auto repeats = figures_of(base, measure, false);
  double spread = 0;
  if (repeats.size() >= kLeastBaseRepeats) {
    spread = spread_of(repeats);
    const auto others = figures_of(next, measure, false);
    if (others.size() >= kLeastBaseRepeats) spread = std::max(spread, spread_of(others));
    if (tell_of_the_time_between(base, next)) return spread;
  }
  if (measure == Measure::kMemory) return std::max(spread, kMemoryNoise);
  return std::max(spread, rules.noise + std::max(drift_of(base, measure), drift_of(next, measure)));
}

// How others wanted the machine too, or nothing. What bench saw meanwhile counts; a result without that has
// the load average, which is the whole machine's, beside the cores that the process may use.
std::string busyness_of(const Run& run) {
  if (run.other_load.has_value() || run.steal.has_value()) {
    if (run.other_load.value_or(0) > kBusyOtherLoad)
      return fmt::format("other programs kept {:.1f} processors busy", *run.other_load);
    if (run.steal.value_or(0) > kBusySteal)
      return fmt::format("other virtual machines took {:.1f}% of the time", *run.steal);
    return "";
  }
  constexpr double kBusy = 1.25;  // runnable tasks a core
  const auto cores = static_cast<double>(run.cores.value_or(1));
  if (run.load_average.value_or(0) <= kBusy * cores) return "";
  return fmt::format("load {:.1f} on {:g} cores", *run.load_average, cores);
}

// Why a measure of speed can't be judged; empty where it can.
std::string why_not_judged(const Runs& base, const Runs& next, Measure measure, const MeasureResult& row,
                           const Rules& rules) {
  for (const Runs* runs : {&base, &next}) {
    for (const Run* run : *runs) {
      const auto difference = machine_difference(*base.front(), *run);
      if (!difference.empty() && !rules.across_machines)
        return fmt::format("measured on different machines or builds: {}", fmt::join(difference, ", "));
    }
  }
  if (measure == Measure::kMemory) return "";  // which hardly varies
  if (std::min(row.base_count, row.next_count) < kLeastSamples)
    return fmt::format("too few samples: {} and {}", *row.base_count, *row.next_count);
  for (const Runs* runs : {&base, &next}) {
    for (const Run* run : *runs) {
      if (const std::string how = busyness_of(*run); !how.empty())
        return "measured on a busy machine: " + how;
    }
  }
  return "";
}

void compare_speed(const Group& base, const Group& next, Measure measure, const Rules& rules,
                   const BootstrapOptions& options, ConfigurationResult& result) {
  MeasureResult row = empty_row(measure, rules);
  const bool by_slice = std::min(base.runs.size(), next.runs.size()) < kLeastRepeats;
  row.base_samples = figures_of(base.runs, measure, by_slice);
  row.next_samples = figures_of(next.runs, measure, by_slice);
  if (row.base_samples.empty() || row.next_samples.empty()) {
    const auto has_figure = [&](const Run* run) { return figure_of(*run, measure).has_value(); };
    const Runs& lacking = row.base_samples.empty() ? base.runs : next.runs;
    if (std::ranges::none_of(base.runs, has_figure)) return;
    row.base = figure_of(*base.runs.front(), measure);
    row.next = figure_of(*next.runs.front(), measure);
    row.why = fmt::format("{} has no such figure{}", &lacking == &base.runs ? "base" : "the new side",
                          std::ranges::any_of(lacking, has_figure) ? " above 0" : "");
    result.measures.push_back(std::move(row));
    return;
  }
  row.base_count = std::ssize(row.base_samples);
  row.next_count = std::ssize(row.next_samples);
  row.base = median(row.base_samples);
  row.next = median(row.next_samples);
  const auto base_costs = costs_of(row.base_samples, measure);
  const auto next_costs = costs_of(row.next_samples, measure);
  const auto percent = [](double ratio) { return 100 * (ratio - 1); };
  row.worse_by = percent(median(next_costs) / median(base_costs));
  const Interval interval = bootstrap_ratio(base_costs, next_costs, options);
  row.worse_by_low = percent(interval.low);
  row.worse_by_high = percent(interval.high);
  if (row.base_samples.size() > 1 && row.next_samples.size() > 1) {
    row.p = mann_whitney_u(base_costs, next_costs).p;
    row.effect = cliffs_delta(base_costs, next_costs);
  }
  row.noise_floor = noise_floor_of(base.runs, next.runs, measure, rules);
  if (row.threshold.has_value()) {
    row.why = why_not_judged(base.runs, next.runs, measure, row, rules);
  }
  result.measures.push_back(std::move(row));
}

const Run& latest(const Runs& runs) {
  return **std::max_element(runs.begin(), runs.end(),
                            [](const Run* a, const Run* b) { return a->started_at < b->started_at; });
}

void add_notes(const Run& base, const Run& next, ConfigurationResult& result) {
  const auto note = [&](const char* what, const auto& a, const auto& b, const auto& show) {
    if (a != b)
      result.notes.push_back(fmt::format("{}: {} in base, {} in the new side", what, show(a), show(b)));
  };
  const auto as_is = [](const std::string& text) { return text.empty() ? "unknown" : text; };
  note("model", base.model, next.model, as_is);
  note("weights", base.weights_digest, next.weights_digest,
       [&](const std::string& digest) { return as_is(digest).substr(0, kShownDigest); });
  note("instruction set", base.isa, next.isa, as_is);
  if (base.kind == "eval" && base.preprocessing != next.preprocessing)
    result.notes.emplace_back("the images were prepared in other ways: see `preprocessing` of both");
}

ConfigurationResult compare_groups(const Group& base, const Group& next, const Rules& rules,
                                   const BootstrapOptions& options) {
  ConfigurationResult result;
  const Run& before = latest(base.runs);
  const Run& now = latest(next.runs);
  add_notes(before, now, result);
  if (before.kind == "eval") {
    compare_accuracy(before, now, rules, options, result);
    return result;
  }
  for (const Measure measure : {Measure::kLatency, Measure::kThroughput, Measure::kMemory, Measure::kLoad})
    compare_speed(base, next, measure, rules, options, result);
  if (auto row = digest_row(before, now, rules)) result.measures.push_back(std::move(*row));
  return result;
}

// What a group is called; with its weights where another one of its side has the same name.
std::string title_of(const Group& group, const std::vector<Group>& side) {
  const std::string title = configuration_of(*group.runs.front());
  const auto is_twin = [&](const Group& other) {
    return &other != &group && other.weights != group.weights &&
           configuration_of(*other.runs.front()) == title;
  };
  if (group.weights.empty() || std::ranges::none_of(side, is_twin)) return title;
  return fmt::format("{}, weights {}", title, group.weights.substr(0, kShownDigest));
}

// The failure that stands for a configuration that a side lacks: of the same model, else, as a model that
// can't be loaded is called by its path, the only one that there is or the only one of what was asked for.
const Run* failure_of(const Group& wanted, const ComparedSide& side) {
  const Run& run = *wanted.runs.front();
  std::vector<const Run*> failures;
  for (const Run& other : side.runs) {
    if (!other.error.empty() && other.kind == run.kind) failures.push_back(&other);
  }
  const auto first = std::ranges::find(failures, run.model, &Run::model);
  if (first != failures.end()) return *first;
  if (failures.size() > 1) {
    std::erase_if(failures, [&](const Run* other) { return !is_same_request(run, *other); });
  }
  return failures.size() == 1 ? failures.front() : nullptr;
}

// Why a side has nothing to set against a group of the other one: as far as it is known, what failed there.
std::string why_missing(const char* name, const Group& wanted, const ComparedSide& side,
                        const std::vector<Group>& groups) {
  if (const Run* failure = failure_of(wanted, side))
    return fmt::format("{} failed: {}", name, failure->error);
  const std::string text = fmt::format("{} has no such result", name);
  const auto near = std::ranges::find_if(groups, [&](const Group& group) {
    return group.partner == nullptr && group.model == wanted.model &&
           group.runs.front()->kind == wanted.runs.front()->kind;
  });
  if (near == groups.end()) return text;
  const auto difference = compared_difference(*wanted.runs.front(), *near->runs.front());
  return difference.empty()
             ? text
             : fmt::format("{}; one that it has differs in {}", text, fmt::join(difference, ", "));
}

// A row for each measure of a group that only one side has, and a reason.
ConfigurationResult only_in_base(const Group& base, const std::string& why, const Rules& rules) {
  ConfigurationResult result;
  const Run& run = *base.runs.front();
  for (const MeasureInfo& info : measures()) {
    const auto figure = figure_of(run, info.measure);
    const bool is_digest = info.measure == Measure::kDigest && !run.output_digest.empty();
    if (!figure.has_value() && !is_digest) continue;
    MeasureResult& row = result.measures.emplace_back(empty_row(info.measure, rules));
    row.base = figure;
    row.why = why;
  }
  return result;
}

ConfigurationResult only_in_next(const Group& next, const std::string& why) {
  ConfigurationResult result;
  for (const MeasureInfo& info : measures()) {
    const auto figure = figure_of(*next.runs.front(), info.measure);
    if (!figure.has_value()) continue;
    result.measures.emplace_back(empty_row(info.measure, Rules())).next = figure;
  }
  result.notes.push_back("not judged: " + why);
  return result;
}

}  // namespace

std::string configuration_of(const Run& run) {
  std::string text = run.model;
  const auto add = [&](const auto& value, const char* format) {
    if (value.has_value()) text += fmt::format(fmt::runtime(format), *value);
  };
  add(run.image_size, ", {} px");
  if (run.kind == "eval") {
    text += ", " + (run.data_set.empty() ? run.data : run.data_set);
    if (!run.classifier.empty()) text += ", " + run.classifier;
    if (!run.train_data.empty()) text += " of " + last_part(run.train_data);
    if (!run.recipe.empty()) text += ", " + run.recipe;
    add(run.valid_classes, ", {} classes");
    add(run.limit, ", {} images at most");
    add(run.shuffle_seed, ", shuffled by {}");
    if (!run.shard.empty()) text += ", shard " + run.shard;
  } else {
    add(run.batch, ", batch {}");
    add(run.threads, ", {} threads");
    if (run.streams.value_or(1) != 1) add(run.streams, ", {} streams");
    for (const std::string& word : unusual_words(run)) text += ", " + word;
    if (!run.with_preprocessing.empty()) text += ", images of " + last_part(run.with_preprocessing);
  }
  for (const std::string& part : {run.precision, run.backend}) text += part.empty() ? "" : ", " + part;
  return text;
}

MeasureResult empty_row(Measure measure, const Rules& rules) {
  MeasureResult row;
  row.measure = info_of(measure).name;
  row.unit = info_of(measure).unit;
  row.threshold = rules.threshold(measure);
  return row;
}

std::optional<double> figure_of(const Run& run, Measure measure) {
  switch (measure) {
    case Measure::kTop1:
      return run.top1;
    case Measure::kTop5:
      return run.top5;
    case Measure::kDigest:
      return std::nullopt;
    case Measure::kLatency:
      return run.median_ms;
    case Measure::kThroughput:
      return run.images_per_second;
    case Measure::kMemory:
      return run.peak_memory_mb;
    case Measure::kLoad:
      return run.load_ms;
  }
  return std::nullopt;
}

std::optional<MeasureResult> digest_row(const Run& base, const Run& next, const Rules& rules) {
  const std::string before = base.output_digest;
  const std::string now = next.output_digest;
  MeasureResult row = empty_row(Measure::kDigest, rules);
  if (before.empty() || now.empty()) {
    if (!row.threshold.has_value()) return std::nullopt;
    row.why = fmt::format("{} has no digest of what was put out", !before.empty() ? "the new side"
                                                                  : now.empty()   ? "neither side"
                                                                                  : "base");
    return row;
  }
  row.worse_by = before == now ? 0 : 100;
  row.worse_by_low = row.worse_by_high = row.worse_by;
  return row;
}

Comparison compare_runs(const ComparedSide& base, std::span<const ComparedSide> next, const Rules& rules,
                        const BootstrapOptions& options) {
  Comparison comparison;
  for (const ComparedSide& side : next) {
    std::vector<Group> bases = groups_of(base);
    std::vector<Group> nexts = groups_of(side);
    if (bases.empty()) {
      fail(ErrorCode::kFailed, "{}: no result to compare with{}", base.name,
           base.runs.empty() ? "" : "; the first failed: " + base.runs.front().error);
    }
    pair_up(bases, nexts);
    const auto add = [&](ConfigurationResult result, std::string title) {
      result.configuration = std::move(title);
      result.base = base.name;
      result.next = side.name;
      comparison.results.push_back(std::move(result));
    };
    for (const Group& group : bases) {
      add(group.partner == nullptr
              ? only_in_base(group, why_missing("the new side", group, side, nexts), rules)
              : compare_groups(group, *group.partner, rules, options),
          title_of(group, bases));
    }
    for (const Group& group : nexts) {
      if (group.partner != nullptr) continue;
      add(only_in_next(group, why_missing("base", group, base, bases)), title_of(group, nexts));
    }
  }
  judge(comparison, rules);
  return comparison;
}

}  // namespace swinzoo::eval
