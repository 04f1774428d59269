// What `swinzoo bench` is asked on the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cmd/measured_run.h"
#include "cmd/model_options.h"
#include "cmd/sweep.h"
#include "eval/bench.h"
#include "eval/image_source.h"
#include "zoo/catalog.h"

namespace swinzoo::cmd {

struct BenchCommand {
  std::vector<std::string> models;
  std::string collection;
  std::vector<std::string> batches, threads, streams, precisions;  // lists, as they were written
  Mode mode = Mode::kLatency;
  eval::BenchOptions loop;
  bool profile = false;
  std::string images;  // to prepare in each call; empty: inference only
  RunOutput output;
  ModelOptions run;
};

// Declares them. `options` outlives the app's parsing.
void add_bench_options(CLI::App& app, BenchCommand& options);

// What they come to. Throw kUsage for lists that can't be read, and where nothing is left to time; kNotFound
// for a collection or images that are not there.
std::vector<Configuration> configurations_of(const BenchCommand& options);
std::vector<std::string> models_of(const BenchCommand& options, const zoo::Catalog& catalog);
eval::ImageSource images_in(const std::string& path);

}  // namespace swinzoo::cmd
