// One model's evaluation as it goes on: samples one after another, counted, and kept in a folder
// (sample_log.h) where there is one; and what is made of finished ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eval/accuracy.h"
#include "eval/data_set.h"
#include "eval/run.h"
#include "eval/sample_log.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// The I-th of N parts of a list, of as equal length as can be; parts lie side by side.
struct Shard {
  int64_t index = 1;  // from 1 on
  int64_t count = 1;

  // "I/N". Throws kUsage for anything else, and for an I outside 1 to N.
  static Shard parse(const std::string& text);
  std::string text() const;  // empty for the whole
  std::pair<size_t, size_t> range(size_t size) const;
};

// The samples of a data set, without a prediction.
std::vector<EvalSample> samples_of(const LabelledImages& data);

// SHA-256 of the samples' paths and classes and of the valid classes, all in their order: equal where the
// same is measured.
std::string samples_digest(std::span<const EvalSample> samples, std::span<const int64_t> valid_classes);

// Sets what is said of the data: where the labels come from, which published set it is of and the figures on
// that, the digest.
void set_data(Run& run, const DataSet& data, const LabelledImages& labelled, const zoo::ModelSpec& spec);

// The run with the figures that the samples give; skipped ones are listed and count nowhere. class_names:
// what the data calls its classes. Throws kCorrupt if no sample at all could be read.
Run with_accuracy(Run run, std::span<const EvalSample> samples,
                  const std::map<int64_t, std::string>& class_names);

struct EvaluationOptions {
  std::filesystem::path folder;  // empty: nothing is kept
  bool restart = false;
  size_t outputs_kept = 0;  // of each sample: as many as take() is given, or none
};

// Not thread-safe.
class Evaluation {
 public:
  // run: what is known before measuring (config.json). samples: those of this shard. Throws as SampleLog.
  Evaluation(Run run, std::vector<EvalSample> samples, std::vector<int64_t> valid_classes,
             std::map<int64_t, std::string> class_names, const EvaluationOptions& options);

  size_t size() const { return samples_.size(); }
  size_t done() const { return done_; }  // the first ones
  const Accuracy& accuracy() const { return accuracy_; }

  // The next sample's logits, a class each; or why it could not be read.
  void take(std::span<const float> logits);
  void skip(const std::string& message);
  void flush();  // what was taken survives a kill from here on

  // All are done. seconds: how long those of this process took. The result, with every sample. Throws as
  // with_accuracy. REQUIRES: done() == size(); called once, last.
  Run finish(double seconds);

 private:
  void add(EvalSample& sample, std::span<const float> logits);

  Run run_;
  std::vector<EvalSample> samples_;
  std::vector<int64_t> valid_classes_;
  std::map<int64_t, std::string> class_names_;
  std::optional<SampleLog> log_;
  Accuracy accuracy_;
  size_t done_ = 0;
  size_t resumed_ = 0;
};

// The result of the evaluation in `folder`, with its samples; nothing if it is not complete. Throws
// kNotFound, kCorrupt.
std::optional<Run> finished_evaluation(const std::filesystem::path& folder);

// Joins the shards of one evaluation into what one run would have left: samples.jsonl, outputs.npy where all
// have it, and result.json, whose times are the shards' together and whose machine is the first shard's.
// Returns that result, at once where `into` holds it already. Throws kUsage unless the folders hold all
// shards of one evaluation, complete, of one instruction set and build; kUsage if `into` holds anything else;
// kNotFound, kCorrupt, kDiskFull.
Run merge_evaluations(std::span<const std::filesystem::path> folders, const std::filesystem::path& into);

// The evaluation in `folder` by other labels, without the model. `options` names label files and a class map;
// the images are those that were run, and keep their classes where no labels are given. spec: whose classes
// the logits are. Throws as DataSet; kUsage if other classes are valid than before and outputs.npy was not
// kept, or if names would have to be numbered that only a part of the images has.
Run rescore(const std::filesystem::path& folder, DataOptions options, const zoo::ModelSpec& spec);

}  // namespace swinzoo::eval
