#include "cmd/eval_models.h"

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <utility>

#include "cmd/progress.h"
#include "eval/image_folder.h"
#include "eval/image_reader.h"
#include "eval/knn.h"
#include "eval/machine.h"
#include "eval/memory.h"
#include "eval/pass.h"
#include "eval/run_folder.h"
#include "eval/run_writer.h"
#include "eval/video_decoder.h"
#include "eval/video_reader.h"
#include "eval/video_recipe.h"
#include "formats/atomic_file.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

using eval::EvalSample;

// A model that is evaluated.
struct Subject {
  std::string name;
  std::unique_ptr<zoo::Model> model;
  const eval::VideoRecipe* recipe = nullptr;  // null: the model takes images
  bool averages_scores = false;               // of a video's views, in place of probabilities
  size_t output = 0;                          // of the plan's: logits, or for k-NN the embedding
  size_t width = 0;                           // of a row of it
  eval::Run run;                              // what is known before the first image
  std::filesystem::path folder;               // empty: nothing is kept
  eval::LabelledImages data;
  std::unique_ptr<eval::TrainingEmbeddings> training;
  std::optional<eval::KnnClassifier> knn;
  std::unique_ptr<eval::Evaluation> evaluation;
};

// `first`: one of the data's files.
void check_takes(const zoo::Model& model, const std::string& name, const std::string& first) {
  const zoo::ModelSpec& spec = model.spec();
  const bool takes_clips = spec.dimensions.frames > 0;
  if (takes_clips ? eval::is_image_name(first) : eval::is_video_name(first)) {
    fail(ErrorCode::kUnsupported, "{}: the model takes {}, and the data has {}", name,
         takes_clips ? "clips" : "images", first);
  }
  if (spec.dimensions.in_chans != 3) {
    fail(ErrorCode::kUnsupported, "{}: the model takes {} channels; images have 3", name,
         spec.dimensions.in_chans);
  }
}

// What of the model's outputs the answers come from.
const char* output_for(const Subject& subject, bool is_knn) {
  if (is_knn) return "embedding";
  if (subject.model->executable().plan().find_output("logits") == nullptr) {
    fail(ErrorCode::kUnsupported,
         "{}: the model has no classifier, so there is no accuracy to measure; --train DIR measures k-NN",
         subject.name);
  }
  return "logits";
}

void check_same_classes(const eval::LabelledImages& train, const eval::LabelledImages& data) {
  bool any = data.class_names.empty();
  for (const auto& [id, name] : data.class_names) {
    const auto other = train.class_names.find(id);
    if (other == train.class_names.end() || other->second == name) {
      any |= other != train.class_names.end();
      continue;
    }
    fail(ErrorCode::kCorrupt, "--train and --data have different classes: number {} is '{}' there, '{}' here",
         id, other->second, name);
  }
  if (!any) fail(ErrorCode::kCorrupt, "--train has none of the classes of --data");
}

// The models' inputs that images or videos become in one pass, each form once.
struct Forms {
  std::vector<eval::ImageForm> images;
  std::vector<eval::ViewReader> videos;
  std::vector<size_t> of_subject;
};

// REQUIRES: all have the same recipe, or none.
Forms forms_of(std::span<const Subject> subjects) {
  Forms result;
  std::vector<std::string> fingerprints;
  for (const Subject& subject : subjects) {
    const auto known = std::ranges::find(fingerprints, subject.run.preprocessing);
    result.of_subject.push_back(static_cast<size_t>(known - fingerprints.begin()));
    if (known != fingerprints.end()) continue;
    fingerprints.push_back(subject.run.preprocessing);
    const zoo::ModelSpec& spec = subject.model->spec();
    if (subject.recipe != nullptr) {
      result.videos.emplace_back(*subject.recipe, spec);
    } else {
      result.images.push_back({spec.preprocessing, spec.dimensions.image_size});
    }
  }
  return result;
}

// One pass takes models of one recipe only.
std::vector<std::vector<Subject>> by_recipe(std::vector<Subject> subjects) {
  std::vector<std::vector<Subject>> groups;
  for (Subject& subject : subjects) {
    const auto same = std::ranges::find_if(
        groups, [&](const auto& group) { return group.front().recipe == subject.recipe; });
    (same != groups.end() ? *same : groups.emplace_back()).push_back(std::move(subject));
  }
  return groups;
}

// Fills outputs with what the model says of the inputs.
void run_model(const Subject& subject, std::span<const float> inputs, int64_t count,
               std::span<float> outputs) {
  const zoo::Dimensions& d = subject.model->spec().dimensions;
  Shape shape = {count, 3, d.image_size, d.image_size};
  if (subject.recipe != nullptr) shape.insert(shape.begin() + 2, d.frames);
  const backends::OutputBinding binding{subject.output, outputs};
  subject.model->executable().run({DType::kF32, shape, std::as_bytes(inputs)}, std::span(&binding, 1));
}

eval::RunBatch run_of(const Subject& subject) {
  if (!subject.knn || subject.recipe != nullptr) {
    return [&subject](std::span<const float> inputs, int64_t count, std::span<float> logits) {
      run_model(subject, inputs, count, logits);
    };
  }
  return [&subject, embeddings = std::vector<float>()](std::span<const float> inputs, int64_t count,
                                                       std::span<float> votes) mutable {
    embeddings.resize(static_cast<size_t>(count) * subject.width);
    run_model(subject, inputs, count, embeddings);
    subject.knn->vote(embeddings, count, votes);
  };
}

// What the views of a video say together: the mean of the classifier's probabilities; k-NN's votes for the
// mean embedding, or, while training, that itself.
std::vector<float> joined(const Subject& subject, std::span<const float> views) {
  const int64_t count = subject.recipe->views();
  const bool is_knn = !subject.run.classifier.empty();  // else its own head
  if (!is_knn) {
    return subject.averages_scores ? eval::mean_row(views, count) : eval::mean_probabilities(views, count);
  }
  std::vector<float> embedding = eval::mean_row(views, count);
  if (!subject.knn) return embedding;
  std::vector<float> votes(static_cast<size_t>(subject.knn->num_classes()));
  subject.knn->vote(embedding, 1, votes);
  return votes;
}

// target: an Evaluation or TrainingEmbeddings.
template <typename Target>
eval::PassModel pass_model(Target& target, const Subject& subject, size_t form, size_t width) {
  return {form,
          subject.recipe == nullptr ? width : subject.width,
          target.done(),
          run_of(subject),
          [&target, &subject](std::span<const float> rows) {
            subject.recipe == nullptr ? target.take(rows) : target.take(joined(subject, rows));
          },
          [&target](const std::string& message) { target.skip(message); },
          [&target] { target.flush(); }};
}

class Evaluator {
 public:
  Evaluator(const EvalOptions& options, const zoo::Catalog& catalog, const Globals& globals, RunLog& log)
      : options_(options), catalog_(catalog), globals_(globals), log_(log), data_(options.data) {
    if (data_.left_out() > 0 && !globals.quiet) {
      fmt::print(stderr, "swinzoo: {} images are left out: the class map does not name their classes\n",
                 data_.left_out());
    }
    if (options.train.empty()) return;
    eval::DataOptions train_options;
    train_options.data = options.train;
    const eval::DataSet train(train_options);
    knn_spec_.emplace();
    knn_spec_->id = "k-NN";
    knn_spec_->num_classes = std::max<int64_t>(1000, train.class_count());
    train_ = train.labelled_for(*knn_spec_);
    train_digest_ = eval::samples_digest(eval::samples_of(train_), {});
    check_same_classes(train_, data_.labelled_for(*knn_spec_));
  }

  void run() {
    check_folders();
    for (size_t next = 0; next < options_.models.size();) {
      std::vector<Subject> group;
      do {
        load(options_.models[next++], group);
      } while (next < options_.models.size() && has_room_for_another(group));
      for (std::vector<Subject>& same : by_recipe(std::move(group))) {
        if (knn_spec_) train(same);
        evaluate(same);
      }
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  // Each model has a folder of its own there.
  void check_folders() const {
    if (!eval::is_run_folder(options_.output.file)) return;
    std::map<std::filesystem::path, std::string> models;
    for (const std::string& model : options_.models) {
      const auto [other, is_new] = models.emplace(eval::model_folder(options_.output.file, model), model);
      if (!is_new) {
        fail(ErrorCode::kUsage, "{} and {} would both be kept in {}", other->second, model,
             other->first.string());
      }
    }
  }

  // In the folder of results: why the last attempt failed.
  std::filesystem::path failure_file(const std::string& model) const {
    return eval::model_folder(options_.output.file, model) / "eval" / eval::kFailureFile;
  }

  // An error ends this model, or all where there is no other.
  void failed(const std::string& model, const Error& error) {
    if (options_.models.size() == 1 || error.code() == ErrorCode::kInterrupted) throw error;
    fmt::print(stderr, "swinzoo: error: {}: {}\n", model, error.what());
    eval::Run run;
    run.kind = "eval";
    run.model = model;
    run.started_at = eval::utc_text(std::chrono::system_clock::now());
    run.data = options_.data.data;
    set_machine(run, eval::this_machine());
    run.error = error.what();
    if (eval::is_run_folder(options_.output.file) &&
        !std::filesystem::exists(failure_file(model).parent_path() / "result.json")) {
      write_file(failure_file(model), eval::to_json(std::span(&run, 1)));
    }
    log_.add_finished(std::move(run));
  }

  // Does something for a model; returns whether it failed, which is told then.
  template <typename Body>
  bool fails(const std::string& model, const Body& body) {
    try {
      body();
      return false;
    } catch (const Error& error) {
      failed(model, error);
    } catch (const std::bad_alloc&) {
      failed(model, Error(ErrorCode::kFailed, "not enough memory"));
    }
    return true;
  }

  // Does something with each of the group; leaves those out that fail.
  template <typename Body>
  void for_each_of(std::vector<Subject>& group, const Body& body) {
    std::erase_if(group, [&](Subject& subject) { return fails(subject.name, [&] { body(subject); }); });
  }

  void load(const std::string& name, std::vector<Subject>& group) {
    fails(name, [&] {
      Subject subject;
      subject.name = name;
      const int threads = threads_of(options_.run);
      subject.model =
          std::make_unique<zoo::Model>(load_model(name, catalog_, options_.run, threads, globals_));
      check_takes(*subject.model, name, data_.source().paths().front());
      const backends::Plan& plan = subject.model->executable().plan();
      const backends::Output* output = plan.find_output(output_for(subject, knn_spec_.has_value()));
      subject.output = static_cast<size_t>(output - plan.outputs.data());
      subject.width = static_cast<size_t>(element_count(plan.output_shape(*output, 1)));
      describe(subject, threads);
      if (!has_result(subject)) group.push_back(std::move(subject));
    });
  }

  void describe(Subject& subject, int threads) {
    subject.data = data_.labelled_for(knn_spec_ ? *knn_spec_ : subject.model->spec());
    eval::Run& run = subject.run;
    run = start_run("eval", *subject.model, options_.run, threads);
    take_recipe(subject);
    run.batch = options_.batch_size;
    run.data = options_.data.data;
    if (options_.data.shuffle_seed) run.shuffle_seed = static_cast<int64_t>(*options_.data.shuffle_seed);
    run.limit = options_.data.limit;
    run.shard = options_.shard.text();
    eval::set_data(run, data_, subject.data, subject.model->spec());
    if (knn_spec_) {
      run.classifier = "k-NN";
      run.num_classes = knn_spec_->num_classes;
      run.train_data = options_.train;
      run.train_digest = train_digest_;
      run.published.clear();  // they are of the head
    }
    if (eval::is_run_folder(options_.output.file)) {
      subject.folder = eval::model_folder(options_.output.file, subject.name) / "eval";
    }
  }

  void take_recipe(Subject& subject) const {
    const zoo::ModelSpec& spec = subject.model->spec();
    if (spec.dimensions.frames == 0) {
      if (options_.recipe.empty()) return;
      fail(ErrorCode::kUsage, "--recipe says how videos are read, and {} takes images", subject.name);
    }
    const PreprocessingOptions& changed = options_.run.preprocessing;
    if (changed.crop_pct || !changed.crop_mode.empty() || !changed.interpolation.empty()) {
      fail(ErrorCode::kUsage, "{} takes clips: --crop-pct, --crop-mode and --interpolation are for images",
           subject.name);
    }
    subject.recipe = options_.recipe.empty() ? &eval::default_video_recipe(spec)
                                             : &eval::find_video_recipe(options_.recipe);
    subject.averages_scores = options_.averages_scores;
    subject.run.recipe = subject.recipe->name;
    if (subject.averages_scores) subject.run.recipe += ", mean scores";
    subject.run.preprocessing = eval::ViewReader(*subject.recipe, spec).fingerprint();
  }

  // Whether the folder holds this very evaluation, complete: then that is the result.
  bool has_result(const Subject& subject) {
    if (subject.folder.empty() || options_.restart) return false;
    std::optional<eval::Run> result = eval::finished_evaluation(subject.folder);
    if (!result || !eval::difference_of(*result, subject.run, true).empty()) return false;
    const bool has_logits = std::filesystem::exists(eval::SampleFiles{subject.folder}.outputs());
    if (options_.keep_logits && !has_logits) return false;  // which SampleLog refuses
    std::filesystem::remove(failure_file(subject.name));
    if (!globals_.quiet) {
      fmt::print(stderr, "swinzoo: {}: was done before, see {}\n", subject.name, subject.folder.string());
    }
    log_.add_finished(std::move(*result));
    return true;
  }

  // Weights are in memory about twice: packed, and as pages of the file.
  static bool has_room_for_another(const std::vector<Subject>& group) {
    const std::optional<int64_t> available = eval::available_memory();
    int64_t largest = 0;
    for (const Subject& subject : group) largest = std::max(largest, subject.run.params.value_or(0));
    return !available || *available / 2 > 2 * largest * static_cast<int64_t>(sizeof(float));
  }

  void train(std::vector<Subject>& group) {
    for_each_of(group, [&](Subject& subject) {
      const std::filesystem::path folder =
          subject.folder.empty() ? std::filesystem::path() : subject.folder / "train";
      subject.training = std::make_unique<eval::TrainingEmbeddings>(subject.run, eval::samples_of(train_),
                                                                    subject.width, folder, options_.restart);
    });
    const auto model_of = [&](Subject& subject, size_t form) {
      return pass_model(*subject.training, subject, form, subject.width);
    };
    pass(group, train_, {0, train_.samples.size()}, model_of, "training images",
         [] { return std::string(); });
    for_each_of(group, [&](Subject& subject) {
      subject.knn = subject.training->finish(knn_spec_->num_classes);
      subject.training.reset();
      subject.run.train_count = subject.knn->size();
    });
  }

  void evaluate(std::vector<Subject>& group) {
    const auto start = Clock::now();
    for_each_of(group, [&](Subject& subject) {
      std::vector<EvalSample> samples = eval::samples_of(subject.data);
      const auto [begin, end] = options_.shard.range(samples.size());
      samples = {samples.begin() + static_cast<ptrdiff_t>(begin),
                 samples.begin() + static_cast<ptrdiff_t>(end)};
      subject.evaluation = std::make_unique<eval::Evaluation>(
          subject.run, std::move(samples), subject.data.valid_classes, subject.data.class_names,
          eval::EvaluationOptions{subject.folder, options_.restart,
                                  options_.keep_logits ? answers(subject) : 0});
    });
    if (group.empty()) return;
    const auto model_of = [&](Subject& subject, size_t form) {
      return pass_model(*subject.evaluation, subject, form, answers(subject));
    };
    const eval::LabelledImages& data = group.front().data;  // the same images for all of them
    pass(group, data, options_.shard.range(data.samples.size()), model_of,
         group.size() == 1 ? group.front().name : fmt::format("{} models", group.size()),
         [&] { return accuracy_text(group); });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    for_each_of(group, [&](Subject& subject) {
      log_.add(subject.evaluation->finish(seconds));
      if (!subject.folder.empty()) std::filesystem::remove(subject.folder / eval::kFailureFile);
    });
  }

  // Floats that a sample's answer has.
  static size_t answers(const Subject& subject) {
    return subject.knn ? static_cast<size_t>(subject.knn->num_classes()) : subject.width;
  }

  static std::string accuracy_text(const std::vector<Subject>& group) {
    if (group.size() == 1) {
      const eval::Accuracy& accuracy = group.front().evaluation->accuracy();
      return fmt::format("top-1 {:.2f}, top-5 {:.2f}", accuracy.top1(), accuracy.top5());
    }
    std::string text = "top-1";
    for (const Subject& subject : group)
      text += fmt::format(" {:.2f}", subject.evaluation->accuracy().top1());
    return text;
  }

  // Samples [range.first, range.second) of `data` through all of the group; those that fail are left out.
  template <typename ModelOf, typename Note>
  void pass(std::vector<Subject>& group, const eval::LabelledImages& data, std::pair<size_t, size_t> range,
            const ModelOf& model_of, const std::string& label, const Note& note) {
    std::vector<size_t> images;
    for (size_t i = range.first; i < range.second; ++i) images.push_back(data.samples[i].image);
    const Forms forms = forms_of(group);
    std::unique_ptr<const eval::SampleReader> reader;
    if (forms.videos.empty()) {
      reader = std::make_unique<eval::ImageReader>(*data.source, images, forms.images);
    } else {
      reader = std::make_unique<eval::VideoReader>(*data.source, images, forms.videos);
    }
    std::vector<eval::PassModel> models;
    for (size_t i = 0; i < group.size(); ++i) models.push_back(model_of(group[i], forms.of_subject[i]));
    Progress progress(label, std::ssize(images), Unit::kCount, globals_.quiet);
    const eval::PassOptions options{
        batch_for(group), [&](size_t done) { progress.update(static_cast<int64_t>(done), note()); }};
    tbb::task_arena arena(threads_of(options_.run));  // decoding too takes no more threads
    const std::vector<std::exception_ptr> errors =
        arena.execute([&] { return eval::run_pass(*reader, images.size(), models, options); });
    for_each_of(group, [&](Subject& subject) {
      const std::exception_ptr& error = errors[static_cast<size_t>(&subject - group.data())];
      if (error) std::rethrow_exception(error);
    });
  }

  int64_t batch_for(const std::vector<Subject>& group) const {
    int64_t bytes = 1;
    for (const Subject& subject : group) {
      bytes += eval::bytes_of_input(subject.model->executable().plan());
    }
    const int64_t batch = eval::fitting_batch(options_.batch_size, bytes, eval::available_memory());
    if (batch < options_.batch_size && !globals_.quiet) {
      fmt::print(stderr, "swinzoo: memory is short: batches of {} in place of {}\n", batch,
                 options_.batch_size);
    }
    return batch;
  }

  const EvalOptions& options_;
  const zoo::Catalog& catalog_;
  const Globals& globals_;
  RunLog& log_;
  eval::DataSet data_;
  std::optional<zoo::ModelSpec> knn_spec_;  // the training images' classes; none: models' own classifiers
  eval::LabelledImages train_;
  std::string train_digest_;
};

}  // namespace

void evaluate_models(const EvalOptions& options, const zoo::Catalog& catalog, const Globals& globals,
                     RunLog& log) {
  Evaluator(options, catalog, globals, log).run();
}

}  // namespace swinzoo::cmd
