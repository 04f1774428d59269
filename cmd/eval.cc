// swinzoo eval: top-1 and top-5 accuracy on labelled images.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>

#include "cmd/command.h"
#include "cmd/eval_models.h"
#include "cmd/measured_run.h"
#include "cmd/options.h"
#include "cmd/overwrite.h"
#include "eval/run_folder.h"
#include "eval/run_writer.h"
#include "formats/atomic_file.h"
#include "formats/error.h"

namespace fs = std::filesystem;

namespace swinzoo::cmd {
namespace {

constexpr int64_t kDefaultSeed = 42;  // timm's validate.py

struct Options {
  EvalOptions eval;
  std::string collection;
  std::vector<std::string> merge;
  std::string rescore;
  std::string shard;
  bool shuffle = false;
  int64_t seed = kDefaultSeed;
  std::string class_csv;
};

void require_usage(const Options& options) {
  const auto require = [](bool holds, const char* message) {
    if (!holds) fail(ErrorCode::kUsage, "{}", message);
  };
  const EvalOptions& eval = options.eval;
  const bool has_models = !eval.models.empty() || !options.collection.empty();
  const bool has_folder = eval::is_run_folder(eval.output.file);
  if (!options.merge.empty()) {
    require(!has_models && eval.data.data.empty() && options.rescore.empty(),
            "eval --merge takes folders of results only");
    require(has_folder, "eval --merge: say with -o DIR/ where the whole goes");
  } else if (!options.rescore.empty()) {
    require(!has_models && eval.data.data.empty(),
            "eval --rescore takes label files only: no model, no --data");
  } else {
    require(has_models, "eval: name what to evaluate: MODEL..., or --collection");
    require(!eval.data.data.empty(), "eval: --data is missing: the images to measure on");
  }
  const bool measures = options.merge.empty() && options.rescore.empty();
  require(measures || (eval.train.empty() && options.shard.empty() && !eval.restart && !eval.keep_logits),
          "--merge and --rescore run no model: leave out --train, --shard, --restart and --keep-logits");
  require(options.rescore.empty() || !has_folder, "eval --rescore writes one file of results: -o RUN.json");
  require(eval.train.empty() || (eval.data.class_map.empty() && eval.data.valid_labels.empty()),
          "--train numbers the classes itself: leave out --class-map and --valid-labels");
  require(has_folder || (!eval.restart && !eval.keep_logits),
          "--restart and --keep-logits are about a folder of results: give one with -o DIR/");
}

// The folders of evaluations among what --merge names: those folders, or each model's in a folder of results.
std::vector<fs::path> evaluations_in(const fs::path& folder) {
  if (fs::exists(eval::SampleFiles{folder}.config())) return {folder};
  std::vector<fs::path> found;
  if (fs::is_directory(folder)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (fs::exists(eval::SampleFiles{entry.path() / "eval"}.config()))
        found.push_back(entry.path() / "eval");
    }
  }
  if (found.empty()) fail(ErrorCode::kNotFound, "{}: no evaluation there", folder.string());
  std::ranges::sort(found);
  return found;
}

void merge(const Options& options, RunLog& log) {
  std::map<fs::path, std::vector<fs::path>> parts;  // by the whole's folder
  for (const std::string& folder : options.merge) {
    for (const fs::path& part : evaluations_in(folder)) {
      const fs::path model = fs::absolute(part).lexically_normal().parent_path().filename();
      parts[fs::path(options.eval.output.file) / model / "eval"].push_back(part);
    }
  }
  for (const auto& [into, folders] : parts) log.add_finished(eval::merge_evaluations(folders, into));
}

// The catalog's spec of what was evaluated; without one, what its classes are is told by their number alone.
zoo::ModelSpec spec_of(const eval::Run& run, const zoo::Catalog& catalog) {
  if (const zoo::ModelSpec* spec = catalog.lookup(run.model); spec != nullptr && run.classifier.empty()) {
    return *spec;
  }
  zoo::ModelSpec spec;
  spec.id = run.model;
  spec.num_classes = run.num_classes.value_or(0);
  return spec;
}

void require_outputs_are_no_inputs(const Options& options, std::vector<fs::path> inputs) {
  const EvalOptions& eval = options.eval;
  inputs.insert(inputs.end(), {eval.data.data, eval.data.labels, eval.data.meta, eval.data.real_labels,
                               eval.data.valid_labels, eval.data.class_map, eval.train, eval.run.catalog});
  require_not_an_input(eval.output.file, inputs);
  inputs.emplace_back(eval.output.file);
  require_not_an_input(options.class_csv, inputs);
}

void rescore(const Options& options, const zoo::Catalog& catalog, RunLog& log) {
  const std::vector<fs::path> folders = evaluations_in(options.rescore);
  std::vector<fs::path> inputs;
  for (const fs::path& folder : folders) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) inputs.push_back(entry.path());
  }
  require_outputs_are_no_inputs(options, std::move(inputs));
  for (const fs::path& folder : folders) {
    const eval::Run begun = eval::read_run(eval::SampleFiles{folder}.config());
    log.add_finished(eval::rescore(folder, options.eval.data, spec_of(begun, catalog)));
  }
}

int run(Options& options, const Globals& globals) {
  require_usage(options);
  EvalOptions& eval_options = options.eval;
  if (options.shuffle) eval_options.data.shuffle_seed = static_cast<uint64_t>(options.seed);
  if (!options.shard.empty()) eval_options.shard = eval::Shard::parse(options.shard);
  const zoo::Catalog catalog = load_catalog(eval_options.run.catalog);
  RunLog log(eval_options.output);
  if (!options.merge.empty()) {
    merge(options, log);
  } else if (!options.rescore.empty()) {
    rescore(options, catalog, log);
  } else {
    eval_options.models = with_collection(eval_options.models, options.collection, catalog);
    require_outputs_are_no_inputs(options, files_of_models(eval_options.models, catalog));
    evaluate_models(eval_options, catalog, globals, log);
  }
  log.finish();
  if (!options.class_csv.empty()) write_file(options.class_csv, eval::to_class_csv(log.runs()));
  if (std::ranges::any_of(log.runs(), [](const eval::Run& run) { return !run.error.empty(); })) {
    return static_cast<int>(ErrorCode::kFailed);
  }
  for (const eval::Run& run : log.runs()) {
    if (run.skipped->empty()) continue;
    const auto skipped = std::ssize(*run.skipped);
    fmt::print(stderr, "swinzoo: {}: {} of {} images could not be read, and are not counted\n", run.model,
               skipped, skipped + run.count.value_or(0) + run.unlabelled.value_or(0));
    return static_cast<int>(ErrorCode::kCorrupt);
  }
  return 0;
}

void add_data_options(CLI::App& app, Options& options) {
  eval::DataOptions& data = options.eval.data;
  app.add_option("--data", data.data,
                 "Images or videos: a folder with a folder for each class, a flat folder or a .tar (with "
                 "--labels), a "
                 ".csv of path,label, or a .txt as mmaction2 lists videos")
      ->type_name("PATH");
  app.add_option(
         "--labels", data.labels,
         "What the images show: ILSVRC2012_validation_ground_truth.txt (with --meta), LOC_val_solution.csv, "
         "a synset a line, path,label, or a path and its classes")
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
  app.add_option("--train", options.eval.train,
                 "Training images, in a folder for each class: measures k-NN on the model's embeddings")
      ->type_name("PATH");
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

void add_run_folder_options(CLI::App& app, Options& options) {
  app.add_flag("--restart", options.eval.restart, "Begin anew, whatever the folder of results holds");
  app.add_flag("--keep-logits", options.eval.keep_logits,
               "Keep all logits of each image in the folder of results (outputs.npy)");
  app.add_option("--shard", options.shard, "Run only the I-th of N parts of the images, for --merge")
      ->type_name("I/N");
  app.add_option("--merge", options.merge, "Join the shards that lie in these folders of results")
      ->type_name("DIR")
      ->expected(1, -1);
  app.add_option("--rescore", options.rescore,
                 "Work out the accuracy of a finished evaluation by other labels, without the model")
      ->type_name("DIR");
}

}  // namespace

Action setup_eval(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("model", options->eval.models, "Catalog ids, hf:OWNER/REPO in the cache, or paths")
      ->type_name("MODEL");
  app.add_option("--collection", options->collection, "All entries of a collection of the catalog")
      ->type_name("COLLECTION");
  add_data_options(app, *options);
  app.add_option(
         "--recipe", options->eval.recipe,
         "The views of a video: kinetics (4 clips x 3 crops) or ssv2 (1 clip x 3 crops); the authors' for "
         "the model if not given")
      ->type_name("NAME");
  app.add_option_function<std::string>(
         "--average",
         [options](const std::string& what) { options->eval.averages_scores = what == "scores"; },
         "What is averaged over a video's views: probabilities, as the authors do, or scores (logits)")
      ->check(one_of({"probabilities", "scores"}))
      ->type_name("probabilities|scores");
  app.add_option("-b,--batch-size", options->eval.batch_size, "Images in one call")
      ->check(in_range(1, 65536))
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--samples", options->eval.output.samples, "Print what the model said of each image (JSON)");
  app.add_option("--per-class", options->class_csv, "Write the accuracy of each class here")
      ->type_name("OUT.csv");
  add_run_folder_options(app, *options);
  add_preprocessing_options(app, options->eval.run.preprocessing);
  add_model_options(app, options->eval.run);
  add_run_output_options(app, options->eval.output);
  return [options](const Globals& globals) { return run(*options, globals); };
}

}  // namespace swinzoo::cmd
