// What eval and bench share: a Run's beginning and end, and where results go.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>
#include <vector>

#include "cmd/model_options.h"
#include "eval/run.h"
#include "zoo/model.h"

namespace swinzoo::cmd {

struct RunOutput {
  std::string format = "text";
  std::string file;
  bool samples = false;  // whether what was said of each image is printed and written too
};

// Declares --format, --json and -o. `output` outlives the app's parsing.
void add_run_output_options(CLI::App& app, RunOutput& output);

// The results of one command, all of one kind. A list of lines (jsonl, csv) gets each one's on standard
// output as it comes, and the file that -o names holds those so far after each, so that a kill loses only
// what was under way; a pipe or a device that -o names gets all at the end; where it names a folder of
// results, nothing is written here.
class RunLog {
 public:
  explicit RunLog(RunOutput output) : output_(std::move(output)) {}

  // Takes a run that is over: what is known only now, the peak of memory, is set here.
  void add(eval::Run run);

  // The same for one that an earlier process measured.
  void add_finished(eval::Run run);

  const std::vector<eval::Run>& runs() const { return runs_; }

  // When all are over: prints them, in the chosen format, unless their lines are there already.
  void finish() const;

 private:
  RunOutput output_;
  std::vector<eval::Run> runs_;
};

// Prints results on standard output, in the chosen format.
void print_runs(std::span<const eval::Run> runs, const RunOutput& output);

// A run with all that is known before measuring: the model, how it runs, the machine, the time.
eval::Run start_run(const std::string& kind, const zoo::Model& model, const ModelOptions& options,
                    int threads);

}  // namespace swinzoo::cmd
