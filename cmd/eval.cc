// swinzoo eval: top-1 and top-5 accuracy on labelled images.
#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <memory>

#include "cmd/command.h"
#include "cmd/measured_run.h"
#include "cmd/model_options.h"
#include "cmd/options.h"
#include "cmd/progress.h"
#include "eval/accuracy.h"
#include "eval/data_set.h"
#include "eval/published.h"
#include "eval/run_writer.h"
#include "formats/atomic_file.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

constexpr int64_t kDefaultSeed = 42;  // timm's validate.py

struct Options {
  std::vector<std::string> models;
  eval::DataOptions data;
  bool shuffle = false;
  int64_t seed = kDefaultSeed;
  int64_t batch_size = 8;
  bool samples = false;
  std::string class_csv;
  RunOutput output;
  ModelOptions run;
};

void check_takes_images(const zoo::Model& model, const std::string& name) {
  const zoo::ModelSpec& spec = model.spec();
  if (model.executable().plan().find_output("logits") == nullptr) {
    fail(ErrorCode::kUnsupported, "{}: the model has no classifier, so there is no accuracy to measure",
         name);
  }
  if (spec.dimensions.frames > 0) {
    fail(ErrorCode::kUnsupported, "{}: the model takes clips; eval reads images", name);
  }
  if (spec.dimensions.in_chans != 3) {
    fail(ErrorCode::kUnsupported, "{}: the model takes {} channels; images have 3", name,
         spec.dimensions.in_chans);
  }
}

eval::AccuracyResult measure(const zoo::Model& model, const std::string& name,
                             const eval::LabelledImages& data, const Options& options,
                             const Globals& globals) {
  const zoo::ModelSpec& spec = model.spec();
  const backends::Executable& executable = model.executable();
  const backends::Output* logits_output = executable.plan().find_output("logits");
  const auto logits_index = static_cast<size_t>(logits_output - executable.plan().outputs.data());
  const eval::Classifier classify = [&](std::span<const float> batch, int64_t count,
                                        std::span<float> logits) {
    const int64_t size = spec.dimensions.image_size;
    const backends::OutputBinding binding{logits_index, logits};
    executable.run({DType::kF32, {count, 3, size, size}, std::as_bytes(batch)}, std::span(&binding, 1));
  };
  Progress progress(name, std::ssize(data.samples), Unit::kCount, globals.quiet);
  eval::EvaluateOptions evaluate_options;
  evaluate_options.progress = [&](const eval::EvaluateProgress& p) {
    progress.update(p.done, fmt::format("top-1 {:.2f}, top-5 {:.2f}", p.top1, p.top5));
  };
  return eval::evaluate(data, spec.preprocessing, spec.dimensions.image_size, spec.num_classes,
                        options.batch_size, classify, evaluate_options);
}

void set_data(eval::Run& run, const eval::DataSet& data, const eval::LabelledImages& labelled,
              const eval::DataOptions& options) {
  run.data = options.data;
  if (data.known() != nullptr) run.data_set = data.known()->name;
  run.labelled_by = labelled.labelled_by;
  if (!labelled.valid_classes.empty()) run.valid_classes = std::ssize(labelled.valid_classes);
  if (options.shuffle_seed.has_value()) run.shuffle_seed = static_cast<int64_t>(*options.shuffle_seed);
  run.limit = options.limit;
}

void set_classes(eval::Run& run, const eval::AccuracyResult& result, const eval::LabelledImages& labelled) {
  for (const auto& [id, counted] : result.by_class) {
    const auto name = labelled.class_names.find(id);
    const double share = 100.0 / static_cast<double>(counted.count);
    run.classes.push_back({id, name == labelled.class_names.end() ? "" : name->second, counted.count,
                           share * static_cast<double>(counted.right1),
                           share * static_cast<double>(counted.right5)});
  }
}

eval::EvalSample sample_of(const eval::Prediction& prediction) {
  eval::EvalSample sample{prediction.path, {}, {}, prediction.top, prediction.logits};
  if (prediction.labels.size() == 1) {
    sample.label = prediction.labels[0];
  } else {
    sample.labels = prediction.labels;
  }
  return sample;
}

eval::Run evaluate(const std::string& name, const eval::DataSet& data, const Options& options,
                   const zoo::Catalog& catalog, const Globals& globals) {
  const int threads = threads_of(options.run);
  const zoo::Model model = load_model(name, catalog, options.run, threads, globals);
  check_takes_images(model, name);
  const eval::LabelledImages labelled = data.labelled_for(model.spec());

  eval::Run run = start_run("eval", model, options.run, threads);
  const auto start = std::chrono::steady_clock::now();
  const eval::AccuracyResult result = measure(model, name, labelled, options, globals);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  run.batch = options.batch_size;
  set_data(run, data, labelled, options.data);
  if (result.unlabelled > 0) run.unlabelled = result.unlabelled;
  set_accuracy(run, result.count, result.right1, result.right5, seconds.count());
  run.published = published_figures(model.spec(), run, data.known(), data.represents_known());
  set_classes(run, result, labelled);
  run.skipped.emplace();
  for (const eval::SkippedSample& skipped : result.skipped) {
    run.skipped->push_back({skipped.path, skipped.message});
  }
  if (options.samples) {
    for (const eval::Prediction& prediction : result.predictions)
      run.samples.push_back(sample_of(prediction));
  }
  return run;
}

int run(Options& options, const Globals& globals) {
  if (options.shuffle) options.data.shuffle_seed = static_cast<uint64_t>(options.seed);
  const zoo::Catalog catalog = load_catalog(options.run.catalog);
  const eval::DataSet data(options.data);
  if (data.left_out() > 0 && !globals.quiet) {
    fmt::print(stderr, "swinzoo: {} images are left out: the class map does not name their classes\n",
               data.left_out());
  }
  RunLog log(options.output);
  const int status = for_each_model(options.models, [&](const std::string& model) {
    log.add(evaluate(model, data, options, catalog, globals));
    if (!options.class_csv.empty()) write_file(options.class_csv, eval::to_class_csv(log.runs()));
  });
  log.print();
  if (status != 0) return status;
  for (const eval::Run& run : log.runs()) {
    if (!run.skipped->empty()) {
      fmt::print(stderr, "swinzoo: {} of {} images could not be read, and are not counted\n",
                 run.skipped->size(), data.size());
      return static_cast<int>(ErrorCode::kCorrupt);
    }
  }
  return 0;
}

void add_data_options(CLI::App& app, Options& options) {
  eval::DataOptions& data = options.data;
  app.add_option(
         "--data", data.data,
         "Images: a folder with a folder for each class, a flat folder or a .tar (with --labels), or a "
         ".csv of path,label")
      ->required()
      ->type_name("PATH");
  app.add_option(
         "--labels", data.labels,
         "What the images show: ILSVRC2012_validation_ground_truth.txt (with --meta), LOC_val_solution.csv, "
         "a synset a line, or path,label")
      ->type_name("FILE");
  app.add_option("--meta", data.meta, "The synsets of the devkit's numbers: its meta.mat, or a synset a line")
      ->type_name("FILE");
  app.add_option("--real-labels", data.real_labels, "ReaL's real.json, in place of all other labels")
      ->type_name("FILE");
  app.add_option("--valid-labels", data.valid_labels, "The classes that an answer may be, a number a line")
      ->type_name("FILE");
  app.add_option("--class-map", data.class_map,
                 "The classes' names in the order of the model's outputs, a line each")
      ->type_name("FILE");
  app.add_option("--limit", data.limit, "Run only so many images")
      ->check(in_range<int64_t>(1, int64_t{1} << 40))
      ->type_name("N");
  CLI::Option* shuffle = app.add_flag("--shuffle", options.shuffle,
                                      "Run the images in a random order, the same for the same seed");
  app.add_option("--seed", options.seed, "The seed of --shuffle")
      ->needs(shuffle)
      ->check(in_range<int64_t>(0, std::numeric_limits<int64_t>::max()))
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace

Action setup_eval(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("model", options->models, "Catalog ids, hf:OWNER/REPO in the cache, or paths")
      ->required()
      ->type_name("MODEL");
  add_data_options(app, *options);
  app.add_option("-b,--batch-size", options->batch_size, "Images in one call")
      ->check(in_range(1, 65536))
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--samples", options->samples, "Keep what the model said of each image (JSON)");
  app.add_option("--per-class", options->class_csv, "Write the accuracy of each class here")
      ->type_name("OUT.csv");
  add_preprocessing_options(app, options->run.preprocessing);
  add_model_options(app, options->run);
  add_run_output_options(app, options->output);
  return [options](const Globals& globals) { return run(*options, globals); };
}

}  // namespace swinzoo::cmd
