// swinzoo report: a Markdown report of results that eval and bench wrote.
#include "eval/report.h"

#include <cstdio>
#include <memory>

#include "cmd/command.h"
#include "eval/run_writer.h"
#include "formats/atomic_file.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string output;
};

int report(const Options& options) {
  std::vector<eval::Run> runs;
  for (const std::string& file : options.files) {
    for (eval::Run& run : eval::read_runs(file)) runs.push_back(std::move(run));
  }
  if (runs.empty()) fail(ErrorCode::kFailed, "{}: no results to report", options.files.front());
  const std::string text = eval::to_report(runs);
  if (options.output.empty()) {
    fmt::print("{}", text);
  } else {
    write_file(options.output, text);
    fmt::print("{}\nreport: {}\n", eval::to_text(runs), options.output);
  }
  return 0;
}

}  // namespace

Action setup_report(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("RUN.json", options->files, "Results, as eval and bench write them with --format json")
      ->required();
  app.add_option("-o,--output", options->output,
                 "Write the Markdown here, and only its tables to standard output");
  return [options](const Globals&) { return report(*options); };
}

}  // namespace swinzoo::cmd
