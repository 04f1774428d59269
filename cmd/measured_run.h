// What eval and bench share: a Run's beginning and end, several models in turn, and where results go.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "cmd/model_options.h"
#include "eval/run.h"
#include "zoo/model.h"

namespace swinzoo::cmd {

struct RunOutput {
  std::string format = "text";
  std::string file;
};

// Declares --format, --json and -o. `output` outlives the app's parsing.
void add_run_output_options(CLI::App& app, RunOutput& output);

// Writes the runs to standard output, or to the file that -o names (then their table to standard output too).
void write_runs(const std::vector<eval::Run>& runs, const RunOutput& output);

// A run with all that is known before measuring: the model, how it runs, the machine, the time.
eval::Run start_run(const std::string& kind, const zoo::Model& model, const ModelOptions& options,
                    int threads);

// What is known only afterwards: the peak of memory.
void finish_run(eval::Run& run);

struct Measured {
  std::vector<eval::Run> runs;
  int status = 0;
};

// Calls measure(model, runs) for each model in turn. One that fails is reported on standard error and does
// not stop the others: the status is then kFailed. The error of a single model is thrown.
Measured measure_each(
    const std::vector<std::string>& models,
    const std::function<void(const std::string& model, std::vector<eval::Run>& runs)>& measure);

}  // namespace swinzoo::cmd
