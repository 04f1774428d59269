#include "eval/evaluation.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>

#include "eval/machine.h"
#include "eval/published.h"
#include "formats/error.h"
#include "formats/number.h"
#include "formats/sha256.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {

Shard Shard::parse(const std::string& text) {
  const size_t slash = text.find('/');
  const std::string_view whole = text;
  if (slash != std::string::npos) {
    const auto index = whole_number<int64_t>(whole.substr(0, slash));
    const auto count = whole_number<int64_t>(whole.substr(slash + 1));
    if (index && count && *index >= 1 && *index <= *count && *count <= 1'000'000) return {*index, *count};
  }
  fail(ErrorCode::kUsage, "--shard: expected I/N with I from 1 to N, N at most 1000000, found '{}'", text);
}

std::string Shard::text() const { return count == 1 ? "" : fmt::format("{}/{}", index, count); }

std::pair<size_t, size_t> Shard::range(size_t size) const {
  const auto parts = static_cast<size_t>(count);
  const auto at = [&](int64_t i) {
    const auto part = static_cast<size_t>(i);
    return size / parts * part + size % parts * part / parts;
  };
  return {at(index - 1), at(index)};
}

std::vector<EvalSample> samples_of(const LabelledImages& data) {
  std::vector<EvalSample> samples;
  samples.reserve(data.samples.size());
  for (const Sample& sample : data.samples) {
    EvalSample& made = samples.emplace_back();
    made.path = data.source->paths()[sample.image];
    made.set_right_classes(sample.labels);
  }
  return samples;
}

std::string samples_digest(std::span<const EvalSample> samples, std::span<const int64_t> valid_classes) {
  Sha256 digest;
  const auto add = [&](const std::string& text) { digest.update(std::as_bytes(std::span(text))); };
  for (const EvalSample& sample : samples) {
    add(fmt::format("{}\n{}\n", sample.path, fmt::join(sample.right_classes(), " ")));
  }
  add(fmt::format("valid {}\n", fmt::join(valid_classes, " ")));
  return digest.hex();
}

void set_data(Run& run, const DataSet& data, const LabelledImages& labelled, const zoo::ModelSpec& spec) {
  run.labelled_by = labelled.labelled_by;
  run.data_set.clear();
  run.represents.reset();
  if (data.known() != nullptr) {
    run.data_set = data.known()->name;
    run.represents = data.represents_known();
  }
  run.valid_classes.reset();
  if (!labelled.valid_classes.empty()) run.valid_classes = std::ssize(labelled.valid_classes);
  run.samples_digest = samples_digest(samples_of(labelled), labelled.valid_classes);
  run.published = published_figures(spec, data.known());
}

Run with_accuracy(Run run, std::span<const EvalSample> samples,
                  const std::map<int64_t, std::string>& class_names) {
  Accuracy accuracy;
  run.skipped.emplace();
  run.samples.clear();
  run.classes.clear();
  for (const EvalSample& sample : samples) {
    if (!sample.error.empty()) {
      run.skipped->push_back({sample.path, sample.error});
      continue;
    }
    accuracy.add(sample);
    run.samples.push_back(sample);
  }
  if (run.samples.empty() && !run.skipped->empty() && run.shard.empty()) {
    fail(ErrorCode::kCorrupt, "none of the {} images could be read; the first: {}", samples.size(),
         run.skipped->front().error);
  }
  run.unlabelled.reset();
  if (accuracy.unlabelled > 0) run.unlabelled = accuracy.unlabelled;
  set_accuracy(run, accuracy.count, accuracy.right1, accuracy.right5);
  for (const auto& [id, counted] : accuracy.by_class) {
    const auto name = class_names.find(id);
    const double share = 100.0 / static_cast<double>(counted.count);
    run.classes.push_back({id, name == class_names.end() ? "" : name->second, counted.count,
                           share * static_cast<double>(counted.right1),
                           share * static_cast<double>(counted.right5)});
  }
  compare_with_published(run);
  return run;
}

Evaluation::Evaluation(Run run, std::vector<EvalSample> samples, std::vector<int64_t> valid_classes,
                       std::map<int64_t, std::string> class_names, const EvaluationOptions& options)
    : run_(std::move(run)),
      samples_(std::move(samples)),
      valid_classes_(std::move(valid_classes)),
      class_names_(std::move(class_names)) {
  if (options.folder.empty()) return;
  log_.emplace(options.folder, run_, samples_, options.outputs_kept, options.restart);
  resumed_ = done_ = log_->done().size();
  std::ranges::copy(log_->done(), samples_.begin());
  for (size_t i = 0; i < done_; ++i) {
    if (samples_[i].error.empty()) accuracy_.add(samples_[i]);
  }
}

void Evaluation::add(EvalSample& sample, std::span<const float> logits) {
  if (log_) log_->add(sample, logits);
  ++done_;
}

void Evaluation::take(std::span<const float> logits) {
  EvalSample& sample = samples_[done_];
  set_prediction(sample, logits, valid_classes_);
  accuracy_.add(sample);
  add(sample, logits);
}

void Evaluation::skip(const std::string& message) {
  EvalSample& sample = samples_[done_];
  sample.error = message;
  add(sample, {});
}

void Evaluation::flush() {
  if (log_) log_->flush();
}

Run Evaluation::finish(double seconds) {
  assert(done_ == samples_.size());
  Run result = run_;
  result.seconds = seconds;
  result.peak_memory_mb = peak_memory_mb();
  if (resumed_ > 0) result.resumed = static_cast<int64_t>(resumed_);
  const auto was_run = [](const EvalSample& sample) { return sample.error.empty(); };
  const auto run_now =
      std::count_if(samples_.begin() + static_cast<ptrdiff_t>(resumed_), samples_.end(), was_run);
  if (seconds > 0 && run_now > 0) result.images_per_second = static_cast<double>(run_now) / seconds;
  flush();
  result = with_accuracy(std::move(result), samples_, class_names_);
  if (log_) {
    Run kept = result;
    kept.samples.clear();  // they stand beside it
    log_->finish(kept);
  }
  return result;
}

std::optional<Run> finished_evaluation(const fs::path& folder) {
  const SampleFiles files{folder};
  if (!fs::exists(files.result())) return std::nullopt;
  Run run = read_run(files.result());
  for (EvalSample& sample : read_samples(files.samples())) {
    if (sample.error.empty()) run.samples.push_back(std::move(sample));
  }
  return run;
}

}  // namespace swinzoo::eval
