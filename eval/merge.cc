// Joining shards, and scoring again: evaluation.h.
#include <algorithm>
#include <iterator>

#include "eval/evaluation.h"
#include "formats/error.h"
#include "formats/npy.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {
namespace {

struct Part {
  SampleFiles files;
  Run result;
  Shard shard;
};

Part read_part(const fs::path& folder) {
  if (!fs::exists(SampleFiles{folder}.config())) {
    fail(ErrorCode::kNotFound, "{}: no evaluation there (config.json)", folder.string());
  }
  std::optional<Run> result = finished_evaluation(folder);
  if (!result)
    fail(ErrorCode::kUsage, "{}: the evaluation there is not complete: run it to its end first",
         folder.string());
  if (result->shard.empty())
    fail(ErrorCode::kUsage, "{}: is a whole evaluation, no shard of one", folder.string());
  Part part{{folder}, std::move(*result), {}};
  part.shard = Shard::parse(part.result.shard);
  return part;
}

// All shards of one evaluation, in their order.
std::vector<Part> read_parts(std::span<const fs::path> folders) {
  std::vector<Part> parts;
  for (const fs::path& folder : folders) parts.push_back(read_part(folder));
  std::ranges::sort(parts, {}, [](const Part& part) { return part.shard.index; });
  const Part& first = parts.front();
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string folder = parts[i].files.folder.string();
    const std::string difference = difference_of(first.result, parts[i].result, false);
    if (!difference.empty()) {
      fail(ErrorCode::kUsage, "{} and {} are no shards of one evaluation: {}", first.files.folder.string(),
           folder, difference);
    }
    if (parts[i].shard.count != first.shard.count || parts[i].shard.index != static_cast<int64_t>(i) + 1) {
      fail(ErrorCode::kUsage, "{}: is shard {}, expected {}/{}", folder, parts[i].result.shard, i + 1,
           first.shard.count);
    }
  }
  if (std::ssize(parts) != first.shard.count) {
    fail(ErrorCode::kUsage, "{}: shard {}/{} is missing", first.files.folder.string(), parts.size() + 1,
         first.shard.count);
  }
  return parts;
}

std::vector<EvalSample> samples_of(std::span<const Part> parts) {
  std::vector<EvalSample> samples;
  for (const Part& part : parts)
    std::ranges::move(read_samples(part.files.samples()), std::back_inserter(samples));
  return samples;
}

// outputs.npy, if it was kept.
std::optional<Tensor> read_outputs(const SampleFiles& files) {
  if (!fs::exists(files.outputs())) return std::nullopt;
  Tensor outputs = read_npy(files.outputs());
  const auto samples = std::ssize(read_samples(files.samples()));
  if (outputs.shape().size() != 2 || outputs.shape()[0] != samples) {
    fail(ErrorCode::kCorrupt, "{}: expected {} rows", files.outputs().string(), samples);
  }
  return outputs;
}

std::span<const float> row_of(const Tensor& outputs, size_t row) {
  const auto width = static_cast<size_t>(outputs.shape()[1]);
  return outputs.as<float>().subspan(row * width, width);
}

Run without_results(Run run) {
  run.samples.clear();
  run.skipped.reset();
  run.classes.clear();
  return run;
}

}  // namespace

Run merge_evaluations(std::span<const fs::path> folders, const fs::path& into) {
  const std::vector<Part> parts = read_parts(folders);
  if (fs::exists(into) && !fs::is_empty(into)) fail(ErrorCode::kUsage, "{}: is not empty", into.string());
  Run config = without_results(parts.front().result);
  config.shard.clear();
  std::map<int64_t, std::string> class_names;
  double seconds = 0;
  double images = 0;
  for (const Part& part : parts) {
    for (const ClassAccuracy& row : part.result.classes) class_names[row.id] = row.name;
    config.started_at = std::min(config.started_at, part.result.started_at);
    seconds += part.result.seconds.value_or(0);
    images += part.result.seconds.value_or(0) * part.result.images_per_second.value_or(0);
  }
  const std::vector<EvalSample> samples = samples_of(parts);
  std::vector<std::optional<Tensor>> outputs;
  for (const Part& part : parts) outputs.push_back(read_outputs(part.files));
  const bool are_kept = std::ranges::all_of(outputs, [](const auto& part) { return part.has_value(); });
  const auto width = are_kept ? static_cast<size_t>(outputs.front()->shape()[1]) : 0;
  SampleLog log(into, config, samples, width, false);
  size_t next = 0;
  for (size_t p = 0; p < parts.size(); ++p) {
    const auto [begin, end] = parts[p].shard.range(samples.size());
    for (size_t row = 0; row < end - begin; ++row, ++next) {
      const bool has_row = are_kept && samples[next].error.empty();
      log.add(samples[next], has_row ? row_of(*outputs[p], row) : std::span<const float>());
    }
    log.flush();
  }
  config.seconds = seconds;
  config.images_per_second.reset();
  if (seconds > 0 && images > 0) config.images_per_second = images / seconds;
  Run result = with_accuracy(config, samples, class_names);
  Run kept = result;
  kept.samples.clear();
  log.finish(kept);
  return result;
}

Run rescore(const fs::path& folder, DataOptions options, const zoo::ModelSpec& spec) {
  const std::optional<Run> before = finished_evaluation(folder);
  if (!before) fail(ErrorCode::kUsage, "{}: holds no complete evaluation", folder.string());
  const SampleFiles files{folder};
  const std::vector<EvalSample> samples = read_samples(files.samples());
  options.data = before->data;
  options.paths.emplace();
  for (const EvalSample& sample : samples) options.paths->push_back(sample.path);
  const DataSet data(options);
  const LabelledImages labelled = data.labelled_for(spec);
  const std::optional<Tensor> outputs = read_outputs(files);
  if (!outputs && (before->valid_classes.has_value() || !labelled.valid_classes.empty())) {
    fail(ErrorCode::kUsage,
         "{}: answers among some classes only need all logits: evaluate with --keep-logits", folder.string());
  }

  std::vector<EvalSample> rescored = samples_of(labelled);
  for (size_t i = 0; i < rescored.size(); ++i) {
    const size_t row = labelled.samples[i].image;
    rescored[i].error = samples[row].error;
    if (!rescored[i].error.empty()) continue;
    if (outputs) {
      set_prediction(rescored[i], row_of(*outputs, row), labelled.valid_classes);
    } else {
      rescored[i].top5 = samples[row].top5;
      rescored[i].logits = samples[row].logits;
    }
  }
  Run run = without_results(*before);
  const bool stood_for_all = before->represents.value_or(false);
  set_data(run, data, labelled, spec);
  if (run.represents) run.represents = *run.represents && stood_for_all;
  return with_accuracy(std::move(run), rescored, labelled.class_names);
}

}  // namespace swinzoo::eval
