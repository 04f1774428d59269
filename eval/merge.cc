// Joining shards, and scoring again: evaluation.h.
#include <algorithm>
#include <iterator>

#include "eval/evaluation.h"
#include "eval/image_folder.h"
#include "eval/label_files.h"
#include "formats/error.h"
#include "formats/npy.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {
namespace {

struct Part {
  SampleFiles files;
  Run result;
  Shard shard;
  std::vector<EvalSample> samples;
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
  Part part{{folder}, std::move(*result), {}, {}};
  part.shard = Shard::parse(part.result.shard);
  part.samples = read_samples(part.files.samples());
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

// Throws kCorrupt where a part has not all of its shard.
std::vector<EvalSample> samples_of(std::span<const Part> parts) {
  std::vector<EvalSample> samples;
  for (const Part& part : parts) std::ranges::copy(part.samples, std::back_inserter(samples));
  for (const Part& part : parts) {
    const auto [begin, end] = part.shard.range(samples.size());
    if (part.samples.size() != end - begin) {
      fail(ErrorCode::kCorrupt, "{}: has {} of the {} samples of shard {}", part.files.samples().string(),
           part.samples.size(), end - begin, part.result.shard);
    }
  }
  return samples;
}

// outputs.npy, if it was kept: a row of the run's classes for each of `count` samples.
std::optional<Tensor> read_outputs(const SampleFiles& files, const Run& run, size_t count) {
  if (!fs::exists(files.outputs())) return std::nullopt;
  Tensor outputs = read_npy(files.outputs());
  const Shape expected = {static_cast<int64_t>(count), run.num_classes.value_or(0)};
  if (outputs.shape() != expected) {
    fail(ErrorCode::kCorrupt, "{}: expected shape {}, found {}", files.outputs().string(),
         to_string(expected), to_string(outputs.shape()));
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

struct Relabelled {
  DataSet data;
  LabelledImages labelled;
  std::vector<EvalSample> samples;  // with their answers
};

// The samples by the classes that other labels give them. The images stand in natural order for that, as
// whoever wrote a label a line meant it.
Relabelled relabelled(const Run& before, std::span<const EvalSample> samples, DataOptions options,
                      const zoo::ModelSpec& spec) {
  std::map<std::string, const EvalSample*> by_path;
  for (const EvalSample& sample : samples) by_path[sample.path] = &sample;
  options.data = before.data;
  options.paths.emplace();
  for (const auto& [path, sample] : by_path) options.paths->push_back(path);
  std::ranges::sort(*options.paths, natural_less);
  DataSet data(options);
  LabelledImages labelled = data.labelled_for(spec);
  const bool is_part = before.limit.has_value() || !before.shard.empty();
  if (is_part && labelled.labelled_by.ends_with("in natural order")) {
    fail(ErrorCode::kUsage,
         "only a part of the images was run, so their classes' names can't be numbered: give --class-map");
  }
  std::vector<EvalSample> found = samples_of(labelled);
  for (EvalSample& sample : found) {
    const EvalSample& old = *by_path.at(sample.path);
    sample.error = old.error;
    sample.top5 = old.top5;
    sample.logits = old.logits;
  }
  return {std::move(data), std::move(labelled), std::move(found)};
}

// Takes the answers anew from all logits, among these classes. Throws kUsage if they were not kept.
void answer_again(std::vector<EvalSample>& samples, const SampleFiles& files, const Run& run,
                  std::span<const int64_t> valid_classes) {
  const std::vector<EvalSample> kept = read_samples(files.samples());
  const std::optional<Tensor> outputs = read_outputs(files, run, kept.size());
  if (!outputs) {
    fail(ErrorCode::kUsage,
         "{}: answers among some classes only need all logits: evaluate with --keep-logits",
         files.folder.string());
  }
  std::map<std::string, size_t> rows;
  for (const EvalSample& sample : kept) rows.emplace(sample.path, rows.size());
  for (EvalSample& sample : samples) {
    if (sample.error.empty()) set_prediction(sample, row_of(*outputs, rows.at(sample.path)), valid_classes);
  }
}

}  // namespace

Run merge_evaluations(std::span<const fs::path> folders, const fs::path& into) {
  const std::vector<Part> parts = read_parts(folders);
  if (const std::optional<Run> before = finished_evaluation(into)) {
    if (before->shard.empty() && difference_of(*before, parts.front().result, false).empty()) return *before;
  }
  if (fs::exists(into) && !fs::is_empty(into)) {
    fail(ErrorCode::kUsage, "{}: holds something else", into.string());
  }
  Run config = read_run(parts.front().files.config());
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
  for (const Part& part : parts)
    outputs.push_back(read_outputs(part.files, part.result, part.samples.size()));
  const bool are_kept = std::ranges::all_of(outputs, [](const auto& part) { return part.has_value(); });
  const auto width = are_kept ? static_cast<size_t>(outputs.front()->shape()[1]) : 0;
  const fs::path unfinished = into.string() + ".merging";
  SampleLog log(unfinished, config, samples, width, true);
  for (size_t p = 0; p < parts.size(); ++p) {
    for (size_t row = 0; row < parts[p].samples.size(); ++row) {
      const EvalSample& sample = parts[p].samples[row];
      const bool has_row = are_kept && sample.error.empty();
      log.add(sample, has_row ? row_of(*outputs[p], row) : std::span<const float>());
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
  fs::create_directories(into);
  fs::rename(unfinished, into);
  return result;
}

Run rescore(const fs::path& folder, DataOptions options, const zoo::ModelSpec& spec) {
  const std::optional<Run> before = finished_evaluation(folder);
  if (!before) fail(ErrorCode::kUsage, "{}: holds no complete evaluation", folder.string());
  const SampleFiles files{folder};
  std::vector<EvalSample> samples = read_samples(files.samples());
  std::map<int64_t, std::string> class_names;
  for (const ClassAccuracy& row : before->classes) class_names[row.id] = row.name;
  Run run = without_results(*before);
  std::vector<int64_t> valid_classes;
  // Folders' numbers can depend on which classes are valid.
  const bool are_numbered = !options.valid_labels.empty() && before->labelled_by.starts_with("folders");
  const bool has_labels =
      !options.labels.empty() || !options.real_labels.empty() || !options.class_map.empty() || are_numbered;
  if (!has_labels && options.valid_labels.empty()) {  // as it was, answers and all
    return with_accuracy(std::move(run), samples, class_names);
  }
  if (has_labels) {
    const Relabelled other = relabelled(*before, samples, std::move(options), spec);
    samples = other.samples;
    valid_classes = other.labelled.valid_classes;
    class_names = other.labelled.class_names;
    const bool stood_for_all = before->represents.value_or(false);
    set_data(run, other.data, other.labelled, spec);
    if (run.represents) run.represents = *run.represents && stood_for_all;
  } else {
    valid_classes = read_valid_labels(options.valid_labels);
    for (const int64_t id : valid_classes) {
      if (id >= spec.num_classes) {
        fail(ErrorCode::kCorrupt, "the valid labels have class {}, but {} has {} classes", id, spec.id,
             spec.num_classes);
      }
    }
    run.valid_classes = std::ssize(valid_classes);
    run.samples_digest = samples_digest(samples, valid_classes);
    run.represents.reset();
  }
  if (before->valid_classes.has_value() || !valid_classes.empty())
    answer_again(samples, files, *before, valid_classes);
  if (!run.classifier.empty()) run.published.clear();  // they are of the head
  return with_accuracy(std::move(run), samples, class_names);
}

}  // namespace swinzoo::eval
