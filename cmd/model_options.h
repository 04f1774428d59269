// How the subcommands that run a model choose the catalog, the backend and the threads.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"
#include "cmd/command.h"
#include "zoo/model.h"

namespace swinzoo::cmd {

// What of a model's own preprocessing the command line changes.
struct PreprocessingOptions {
  std::optional<double> crop_pct;
  std::string crop_mode;      // empty: the model's own
  std::string interpolation;  // so too
  std::vector<double> mean;   // one value for all channels or one each; none: the model's own
  std::vector<double> std;    // so too
};

struct ModelOptions {
  std::string catalog;
  std::string backend = "cpu";
  backends::Precision precision = backends::Precision::kFp32;
  zoo::SpecHints hints;
  PreprocessingOptions preprocessing;
  int threads = 0;  // 0: as many as the container's quota gives
  int streams = 1;  // calls at the same time, that share the threads
  bool pin = false;
};

// Declares --threads.
void add_threads_option(CLI::App& app, int& threads);

// The precision that --precision's fp32 or bf16 means. REQUIRES: it is one of them.
backends::Precision precision_of(std::string_view name);

// Declares --precision fp32|bf16. `precision` outlives the app's parsing.
CLI::Option* add_precision_option(CLI::App& app, backends::Precision& precision, const std::string& about);

// Declares --catalog, --arch, --img-size and --backend. `options` outlives the app's parsing.
void add_loading_options(CLI::App& app, ModelOptions& options);

// Declares these, --precision and --threads.
void add_model_options(CLI::App& app, ModelOptions& options);

// Declares --crop-pct, --crop-mode, --interpolation, --mean and --std, as timm's validate.py has them.
// `options` outlives the app's parsing.
void add_preprocessing_options(CLI::App& app, PreprocessingOptions& options);

// The number of threads that the options ask for.
int threads_of(const ModelOptions& options);

// Loads a model that runs, with the preprocessing that the options ask for; with -v, says on standard error
// where it came from and how it runs. Throws what zoo::Model throws; kUnsupported for a precision that the
// backend or this CPU lacks.
zoo::Model load_model(const std::string& model, const zoo::Catalog& catalog, const ModelOptions& options,
                      int threads, const Globals& globals);

// The same for what is open already.
zoo::Model load_model(zoo::OpenedModel opened, const std::string& model, const ModelOptions& options,
                      int threads, const Globals& globals);

}  // namespace swinzoo::cmd
