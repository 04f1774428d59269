// swinzoo report: results that eval and bench wrote, as a document, a table of a whole collection or a page.
#include "eval/report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <utility>

#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/overwrite.h"
#include "eval/collection_report.h"
#include "eval/history.h"
#include "eval/report_page.h"
#include "eval/run_folder.h"
#include "eval/run_writer.h"
#include "formats/atomic_file.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::vector<std::string> results;
  std::string collection;
  std::string catalog;
  std::string format = "md";
  std::string history;
  bool has_trends = false;
  std::string output;
};

// The collection's entries, or without one the models of the runs.
std::vector<eval::ReportEntry> entries_of(const Options& options, const zoo::Catalog& catalog,
                                          std::span<const eval::Run> runs) {
  std::vector<eval::ReportEntry> entries;
  if (options.collection.empty()) {
    for (const eval::Run& run : runs) {
      const auto is_entry = [&](const eval::ReportEntry& entry) { return is_of(run, entry); };
      if (std::any_of(entries.begin(), entries.end(), is_entry)) continue;
      const zoo::ModelSpec* spec = catalog.lookup(run.model);
      entries.push_back({spec != nullptr ? spec->id : run.model, spec});
    }
    return entries;
  }
  for (const zoo::ModelSpec* spec : entries_of_collection(options.collection, catalog)) {
    entries.push_back({spec->id, spec});
  }
  return entries;
}

std::string text_of(const Options& options, std::span<const eval::Run> runs) {
  if (options.collection.empty() && options.format == "md") return eval::to_report(runs);
  const zoo::Catalog catalog = load_catalog(options.catalog);
  const auto entries = entries_of(options, catalog, runs);
  const eval::CollectionReport report =
      report_of(options.collection.empty() ? "Results" : options.collection, entries, runs);
  if (options.format == "csv") return eval::to_csv(report);
  if (options.format == "md") return eval::to_markdown(report);
  std::vector<eval::HistoryRow> rows;
  if (options.has_trends) rows = eval::History::open(history_path(options.history)).rows({});
  return eval::to_html(report, runs, rows);
}

int report(const Options& options) {
  std::vector<eval::Run> runs;
  std::vector<std::filesystem::path> inputs = {options.catalog};
  if (options.has_trends) inputs.push_back(history_path(options.history));
  for (const std::string& path : options.results) {
    std::ranges::move(eval::run_files(path), std::back_inserter(inputs));
    for (eval::Run& run : eval::read_all_runs(path)) runs.push_back(std::move(run));
  }
  if (runs.empty() && options.collection.empty()) {
    fail(ErrorCode::kFailed, "{}: no results to report", options.results.front());
  }
  require_not_an_input(options.output, inputs);
  if (options.has_trends && options.format != "html") {
    fail(ErrorCode::kUsage, "report: --history gives the page its trends, so it takes --format html");
  }
  const std::string text = text_of(options, runs);
  if (options.output.empty()) {
    fmt::print("{}", text);
    return 0;
  }
  write_file(options.output, text);
  const bool shows_tables = options.collection.empty() && options.format == "md";
  fmt::print("{}report: {}\n", shows_tables ? eval::to_text(runs) + "\n" : "", options.output);
  return 0;
}

}  // namespace

Action setup_report(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("RESULTS", options->results,
                 "Results of eval and bench: documents (--format json), or folders of them (-o runs/)")
      ->required();
  app.add_option("--collection", options->collection,
                 "One table with every row of a collection, such as timm or sayakpaul/swin/1")
      ->type_name("COLLECTION");
  app.add_option("--format", options->format,
                 "md: Markdown; csv: one table, a line an entry; html: one page with charts, for a browser")
      ->check(one_of({"md", "csv", "html"}))
      ->type_name("md|csv|html")
      ->capture_default_str();
  CLI::Option* history =
      app.add_option("--history", options->history,
                     "html: draw the trends of the history: of this file, else SWINZOO_HISTORY, else "
                     "~/.local/share/swinzoo/history.db")
          ->expected(0, 1)
          ->type_name("[FILE]");
  add_catalog_option(app, options->catalog);
  app.add_option("-o,--output", options->output, "Write the report here, whole or not at all")
      ->type_name("FILE");
  return [options, history](const Globals&) {
    options->has_trends = history->count() > 0;
    // "--history a.json b.json": a word behind it that can only be results is none of its own.
    const bool is_results = std::filesystem::path(options->history).extension() == ".json";
    if (is_results || eval::is_run_folder(options->history)) {
      options->results.insert(options->results.begin(), std::exchange(options->history, ""));
    }
    return report(*options);
  };
}

}  // namespace swinzoo::cmd
