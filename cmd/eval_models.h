// What `swinzoo eval` does with models: several of them over one pass of the images or videos.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/command.h"
#include "cmd/measured_run.h"
#include "cmd/model_options.h"
#include "eval/data_set.h"
#include "eval/evaluation.h"
#include "zoo/catalog.h"

namespace swinzoo::cmd {

struct EvalOptions {
  std::vector<std::string> models;
  eval::DataOptions data;
  std::string train;  // k-NN's training images; empty: the model's own classifier
  eval::Shard shard;
  bool averages_scores = false;  // of a video's views: the mean of logits, not of probabilities
  std::string recipe;            // which views of a video; empty: the model's own
  int64_t batch_size = 8;
  bool restart = false;
  bool keep_logits = false;
  RunOutput output;  // a folder of results, or one file
  ModelOptions run;
};

// Evaluates all models, as many at a time as memory holds, each batch of images decoded once for all of them.
// Complete evaluations in the folder of results are not repeated. `log` is told of each model that is over,
// and of each that failed (eval::Run::error), which is reported on standard error at once; of a single model
// the error is thrown, and so is one of the data itself.
void evaluate_models(const EvalOptions& options, const zoo::Catalog& catalog, const Globals& globals,
                     RunLog& log);

}  // namespace swinzoo::cmd
