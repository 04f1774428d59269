// swinzoo history: results kept by machine, commit, entry and configuration.
#include "eval/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "cmd/command.h"
#include "cmd/measured_run.h"
#include "cmd/options.h"
#include "cmd/overwrite.h"
#include "eval/run_folder.h"
#include "eval/run_setup.h"
#include "eval/run_writer.h"
#include "eval/text_table.h"
#include "formats/atomic_file.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

using eval::Align;
using eval::HistoryRow;

constexpr size_t kShownDigits = 10;  // of a commit, in tables

// Which rows a subcommand is about.
struct Choice {
  std::string history;
  eval::HistoryFilter filter;

  eval::HistoryFilter resolved() const {
    eval::HistoryFilter out = filter;
    if (out.machine == "this") out.machine = eval::this_machines_fingerprint();
    if (out.machine == "any") out.machine.clear();
    if (!out.commit.empty()) out.commit = eval::commit_filter(out.commit);
    return out;
  }
  // Throws kUsage where `output` is the history itself.
  void require_not_to_be(const std::string& output) const {
    require_not_an_input(output, std::vector{history_path(history)});
  }
  std::vector<HistoryRow> rows(bool with_samples = false) const {
    eval::HistoryFilter chosen = resolved();
    chosen.with_samples = with_samples;
    return eval::History::open(history_path(history)).rows(chosen);
  }
};

void add_choice_options(CLI::App& app, Choice& choice) {
  add_history_option(app, choice.history);
  app.add_option("--model", choice.filter.model, "Only this model's, by the name in the results")
      ->type_name("MODEL");
  app.add_option("--kind", choice.filter.kind, "Only eval's, or only bench's")
      ->check(one_of({"eval", "bench"}))
      ->type_name("eval|bench");
  app.add_option("--commit", choice.filter.commit, "Only those of a commit: a name that git knows, or digits")
      ->type_name("COMMIT");
  app.add_option("--machine", choice.filter.machine,
                 "Only one machine's: its fingerprint, or 'this'; 'any' for a baseline of any")
      ->type_name("MACHINE");
}

// history add

struct AddOptions {
  std::string history;
  std::vector<std::string> results;
  std::string commit;
  bool samples = false;
};

int add(const AddOptions& options, const Globals& globals) {
  const auto which = options.samples ? eval::ReadSamples::kOfFolderToo : eval::ReadSamples::kOfDocument;
  std::vector<eval::Run> runs;
  for (const std::string& path : options.results) {
    for (eval::Run& run : eval::read_all_runs(path, which)) {
      if (!options.samples) run.samples.clear();
      runs.push_back(std::move(run));
    }
  }
  if (runs.empty()) fail(ErrorCode::kFailed, "{}: no results to add", options.results.front());
  const std::string commit = options.commit.empty() ? "" : eval::commit_named(options.commit);
  const auto path = history_path(options.history);
  const int64_t added = eval::History::open_or_make(path).add(runs, commit);
  const int64_t failed = std::ranges::count_if(runs, [](const eval::Run& run) { return !run.error.empty(); });
  const int64_t known = static_cast<int64_t>(runs.size()) - failed - added;
  fmt::print("{}: {} added{}{}\n", path.string(), added,
             known > 0 ? fmt::format(", {} there already", known) : "",
             failed > 0 ? fmt::format(", {} failed and left out", failed) : "");
  const bool lacks_samples = options.samples && std::ranges::any_of(runs, [](const eval::Run& run) {
                               return run.kind == "eval" && run.error.empty() && run.samples.empty();
                             });
  if (lacks_samples && !globals.quiet) {
    fmt::print(stderr,
               "swinzoo: note: some evaluations hold no samples; 'eval --samples' or 'eval -o DIR/' does\n");
  }
  const bool is_unknown = commit.empty() && std::any_of(runs.begin(), runs.end(), [](const eval::Run& run) {
                            return run.commit.empty() || run.commit == "unknown";
                          });
  if (is_unknown && !globals.quiet) {
    fmt::print(stderr,
               "swinzoo: note: some results name no commit, so that no baseline can be found among them; "
               "--commit names it\n");
  }
  return 0;
}

Action setup_add(CLI::App& app) {
  const auto options = std::make_shared<AddOptions>();
  app.add_option("RESULTS", options->results, "Results of eval and bench: documents, or folders of them")
      ->required();
  app.add_option("--commit", options->commit,
                 "The commit to keep them by, as git here names it (HEAD); else the one that swinzoo was "
                 "built from")
      ->type_name("COMMIT");
  app.add_flag("--samples", options->samples,
               "Keep what was said of each image too, so that compare can pair evaluations by image");
  add_history_option(app, options->history);
  return [options](const Globals& globals) { return add(*options, globals); };
}

// history ls

// The figure that stands for a run: its accuracy, or its latency.
std::string headline(const eval::Run& run) {
  if (run.top1) return fmt::format("{:.3f} %", *run.top1);
  if (run.median_ms) return fmt::format("{:.3f} ms", *run.median_ms);
  return "-";
}

json::object to_result(const HistoryRow& row) {
  json::object result = eval::to_object(row);
  for (const auto& [name, value] : {std::pair("kind", row.run.kind),
                                    {"model", row.run.model},
                                    {"weights_digest", row.run.weights_digest},
                                    {"started_at", row.run.started_at}}) {
    result.emplace(name, value);
  }
  if (row.run.top1) result.emplace("top1", *row.run.top1);
  if (row.run.median_ms) result.emplace("median_ms", *row.run.median_ms);
  return result;
}

Action setup_ls(CLI::App& app) {
  const auto choice = std::make_shared<Choice>();
  const auto json = std::make_shared<bool>(false);
  add_choice_options(app, *choice);
  add_format_option(app, *json);
  return [choice, json](const Globals&) {
    const auto rows = choice->rows();
    if (*json) {
      json::array results;
      for (const HistoryRow& row : rows) results.push_back(to_result(row));
      print_results(std::move(results));
      return 0;
    }
    eval::TextTable table({{"id", Align::kRight},
                           {"measured"},
                           {"commit"},
                           {"machine"},
                           {"model"},
                           {"figure", Align::kRight},
                           {"configuration"}});
    for (const HistoryRow& row : rows) {
      table.add({std::to_string(row.id), row.run.started_at, row.commit.substr(0, kShownDigits), row.machine,
                 row.run.model, headline(row.run), row.configuration});
    }
    fmt::print("{}", table.text());
    return 0;
  };
}

// history show

struct ShowOptions {
  Choice choice;
  RunOutput output;
  std::string baseline_of;
  bool latest = false;
};

int show(const ShowOptions& options, bool wants_baseline) {
  options.choice.require_not_to_be(options.output.file);
  eval::HistoryFilter filter = options.choice.resolved();
  const eval::History history = eval::History::open(history_path(options.choice.history));
  filter.latest_only = options.latest;
  filter.with_samples = options.output.samples;
  if (wants_baseline) {
    if (!filter.commit.empty()) fail(ErrorCode::kUsage, "history show: --commit or --baseline, not both");
    if (options.choice.filter.machine.empty()) filter.machine = eval::this_machines_fingerprint();
    filter.commit = history.measured_ancestors_of(eval::commit_named(options.baseline_of), filter).front();
  }
  std::vector<eval::Run> runs;
  for (HistoryRow& row : history.rows(filter)) runs.push_back(std::move(row.run));
  if (runs.empty()) fail(ErrorCode::kNotFound, "the history has no such results");
  if (!options.output.file.empty()) write_file(options.output.file, eval::to_json(runs));
  print_runs(runs, options.output);
  return 0;
}

Action setup_show(CLI::App& app) {
  const auto options = std::make_shared<ShowOptions>();
  app.add_option("ID", options->choice.filter.ids, "Rows, by the numbers that ls shows; all unless told")
      ->type_name("ID");
  CLI::Option* baseline =
      app.add_option("--baseline", options->baseline_of,
                     "Those of the nearest ancestor of a commit (HEAD) that was measured on this machine")
          ->expected(0, 1)
          ->type_name("[COMMIT]");
  app.add_flag("--latest", options->latest,
               "Of each machine, commit, entry and configuration only what was added last");
  add_choice_options(app, options->choice);
  app.add_flag("--samples", options->output.samples,
               "With what was said of each image, where it was kept (JSON)");
  add_run_output_options(app, options->output);
  return [options, baseline](const Globals&) {
    if (options->baseline_of.empty()) options->baseline_of = "HEAD";
    return show(*options, baseline->count() > 0);
  };
}

// history trend

struct TrendOptions {
  Choice choice;
  std::string measure = "median_ms";
  bool json = false;
};

// A block a value, higher for larger ones.
std::string sparkline(const eval::Trend& trend) {
  static constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto less = [](const auto& a, const auto& b) { return a.value < b.value; };
  const auto [low, high] = std::minmax_element(trend.points.begin(), trend.points.end(), less);
  const double range = high->value - low->value;
  std::string line;
  for (const auto& point : trend.points) {
    line += kBlocks[range > 0 ? static_cast<size_t>((point.value - low->value) / range * 7.0 + 0.5) : 0];
  }
  return line;
}

json::object to_result(const eval::Trend& trend, const std::string& measure) {
  json::array points;
  for (const auto& point : trend.points) {
    points.push_back(
        json::object{{"commit", point.commit}, {"started_at", point.measured_at}, {"value", point.value}});
  }
  return {{"measure", measure},
          {"machine", trend.machine},
          {"model", trend.model},
          {"configuration", trend.configuration},
          {"points", std::move(points)}};
}

std::string to_text(const eval::Trend& trend, const std::string& measure) {
  eval::TextTable table({{"commit"}, {"measured"}, {measure, Align::kRight}, {"change", Align::kRight}});
  const double* before = nullptr;
  for (const auto& point : trend.points) {
    const bool has_change = before != nullptr && *before != 0;
    table.add({point.commit.substr(0, kShownDigits), point.measured_at, fmt::format("{:.6g}", point.value),
               has_change ? fmt::format("{:+.2f} %", 100 * (point.value / *before - 1)) : "-"});
    before = &point.value;
  }
  return fmt::format("{}, machine {}\n{}\n{}\n{}", trend.model, trend.machine, trend.configuration,
                     sparkline(trend), table.text());
}

Action setup_trend(CLI::App& app) {
  const auto options = std::make_shared<TrendOptions>();
  app.add_option("--measure", options->measure,
                 "A number of the results: median_ms, top1, peak_memory_mb, ...")
      ->type_name("FIELD")
      ->capture_default_str();
  add_choice_options(app, options->choice);
  add_format_option(app, options->json);
  return [options](const Globals&) {
    const auto trends = eval::trends_of(options->choice.rows(), options->measure);
    if (options->json) {
      json::array results;
      for (const eval::Trend& trend : trends) results.push_back(to_result(trend, options->measure));
      print_results(std::move(results));
      return 0;
    }
    if (trends.empty()) fail(ErrorCode::kNotFound, "the history has no result with {}", options->measure);
    for (const eval::Trend& trend : trends) {
      fmt::print("{}{}", &trend == &trends.front() ? "" : "\n", to_text(trend, options->measure));
    }
    return 0;
  };
}

// history export

struct ExportOptions {
  Choice choice;
  std::string format = "json";
  std::string output;
};

std::string to_json_document(const std::vector<HistoryRow>& rows) {
  json::array results;
  for (const HistoryRow& row : rows) {
    json::object result = eval::to_object(row.run);
    for (auto& [name, value] : eval::to_object(row)) result.emplace(name, value);
    results.push_back(std::move(result));
  }
  return to_pretty_json(json::object{{"schema", eval::kRunSchema}, {"results", std::move(results)}}) + "\n";
}

std::string to_csv(const std::vector<HistoryRow>& rows) {
  std::vector<eval::LeadingColumn> leading;
  const HistoryRow no_row;
  visit_fields(no_row, [&](const eval::Field& field, const auto&) { leading.push_back({field.name, {}}); });
  std::vector<eval::Run> runs;
  for (const HistoryRow& row : rows) {
    auto column = leading.begin();
    visit_fields(row, [&](const eval::Field&, const auto& member) {
      (column++)->cells.push_back(fmt::format("{}", member));
    });
    runs.push_back(row.run);
  }
  return eval::to_csv(runs, leading);
}

Action setup_export(CLI::App& app) {
  const auto options = std::make_shared<ExportOptions>();
  app.add_option("--format", options->format, "json: all of each result; csv: all but lists and the profile")
      ->check(one_of({"json", "csv"}))
      ->type_name("json|csv")
      ->capture_default_str();
  app.add_option("-o,--output", options->output, "Write it here and not to standard output")
      ->type_name("FILE");
  add_choice_options(app, options->choice);
  return [options](const Globals&) {
    options->choice.require_not_to_be(options->output);
    const auto rows = options->choice.rows(options->format == "json");
    const std::string text = options->format == "csv" ? to_csv(rows) : to_json_document(rows);
    if (options->output.empty()) {
      fmt::print("{}", text);
    } else {
      write_file(options->output, text);
    }
    return 0;
  };
}

// history prune

struct PruneOptions {
  Choice choice;
  int64_t keep = 0;
  int64_t days = 0;
  bool dry_run = false;
};

int prune(const PruneOptions& options) {
  if (options.keep == 0 && options.days == 0) {
    fail(ErrorCode::kUsage, "history prune: --keep or --older-than tells what to remove");
  }
  const auto before = std::chrono::system_clock::now() - std::chrono::hours(24 * options.days);
  const auto path = history_path(options.choice.history);
  if (!std::filesystem::exists(path)) fail(ErrorCode::kNotFound, "{}: no such history", path.string());
  const int64_t removed = eval::History::open_or_make(path).prune(
      options.choice.resolved(), options.keep, options.days > 0 ? eval::utc_text(before) : "",
      options.dry_run);
  fmt::print("{}: {} {}\n", path.string(), removed, options.dry_run ? "would be removed" : "removed");
  return 0;
}

Action setup_prune(CLI::App& app) {
  const auto options = std::make_shared<PruneOptions>();
  app.add_option("--keep", options->keep,
                 "Of each machine, model and configuration keep only the N measured last")
      ->check(in_range<int64_t>(1, INT64_MAX))
      ->type_name("N");
  app.add_option("--older-than", options->days, "Remove what was measured more than so many days ago")
      ->check(in_range<int64_t>(1, 36500))
      ->type_name("DAYS");
  app.add_flag("--dry-run", options->dry_run, "Only tell how many would be removed");
  add_choice_options(app, options->choice);
  return [options](const Globals&) { return prune(*options); };
}

}  // namespace

Action setup_history(CLI::App& app) {
  static constexpr Command kCommands[] = {
      {"add", "Keep results", &setup_add,
       "  swinzoo history add runs/ --commit HEAD\n"
       "  swinzoo history add eval.json bench.json --samples --history team.db"},
      {"ls", "What is kept, a line a result", &setup_ls,
       "  swinzoo history ls --machine this\n"
       "  swinzoo history ls --model swin_tiny_patch4_window7_224.ms_in1k --kind eval --json"},
      {"show", "Results as eval and bench print them: of a commit, or the baseline", &setup_show,
       "  swinzoo history show --baseline --samples --json\n"
       "  swinzoo history show --commit v1.2 --latest --format md\n"
       "  swinzoo history show 17 18 -o two.json"},
      {"trend", "A measure over the commits", &setup_trend,
       "  swinzoo history trend --machine this\n"
       "  swinzoo history trend --measure top1 --kind eval"},
      {"export", "All rows as JSON or CSV", &setup_export,
       "  swinzoo history export --format csv -o history.csv"},
      {"prune", "Remove old results", &setup_prune,
       "  swinzoo history prune --keep 50 --dry-run\n"
       "  swinzoo history prune --older-than 365 --machine this"},
  };
  return setup_subcommands(app, kCommands);
}

}  // namespace swinzoo::cmd
