// swinzoo eval: top-1 and top-5 accuracy on a folder of images in classes.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "cmd/command.h"
#include "cmd/measured_run.h"
#include "cmd/model_options.h"
#include "cmd/options.h"
#include "cmd/progress.h"
#include "eval/accuracy.h"
#include "eval/image_folder.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::vector<std::string> models;
  std::string data;
  int64_t batch_size = 8;
  bool samples = false;
  RunOutput output;
  ModelOptions run;
};

std::string inside(const std::filesystem::path& path, const std::string& folder) {
  return path.lexically_relative(folder).string();
}

eval::Run evaluate(const std::string& name, const eval::ImageFolder& folder, const Options& options,
                   const zoo::Catalog& catalog, const Globals& globals) {
  const int threads = threads_of(options.run);
  const zoo::Model model = load_model(name, catalog, options.run, threads, globals);
  const zoo::ModelSpec& spec = model.spec();
  const backends::Executable& executable = model.executable();
  const backends::Output* logits_output = executable.plan().find_output("logits");
  if (logits_output == nullptr) {
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
  const auto logits_index = static_cast<size_t>(logits_output - executable.plan().outputs.data());

  eval::Run run = start_run("eval", model, options.run, threads);
  Progress progress(name, static_cast<int64_t>(folder.samples.size()), Unit::kCount, globals.quiet);
  const eval::Classifier classify = [&](std::span<const float> batch, int64_t count,
                                        std::span<float> logits) {
    const int64_t size = spec.dimensions.image_size;
    const backends::OutputBinding binding{logits_index, logits};
    executable.run({DType::kF32, {count, 3, size, size}, std::as_bytes(batch)}, std::span(&binding, 1));
  };
  eval::EvaluateOptions evaluate_options;
  evaluate_options.progress = [&](const eval::EvaluateProgress& p) {
    progress.update(p.done, fmt::format("top-1 {:.2f}, top-5 {:.2f}", p.top1, p.top5));
  };
  const auto start = std::chrono::steady_clock::now();
  const eval::AccuracyResult result =
      eval::evaluate(folder, spec.preprocessing, spec.dimensions.image_size, spec.num_classes,
                     options.batch_size, classify, evaluate_options);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  run.batch = options.batch_size;
  run.data = options.data;
  set_accuracy(run, result.count, result.top1, result.top5, seconds.count());
  run.skipped.emplace();
  for (const eval::SkippedSample& skipped : result.skipped) {
    run.skipped->push_back({inside(skipped.path, options.data), skipped.message});
  }
  if (options.samples) {
    for (const eval::Prediction& p : result.predictions) {
      run.samples.push_back({inside(p.path, options.data), p.label, p.top, p.logits});
    }
  }
  return run;
}

int run(const Options& options, const Globals& globals) {
  const zoo::Catalog catalog = load_catalog(options.run.catalog);
  const eval::ImageFolder folder = eval::list_image_folder(options.data);
  RunLog log(options.output);
  const int status = for_each_model(options.models, [&](const std::string& model) {
    log.add(evaluate(model, folder, options, catalog, globals));
  });
  log.print();
  if (status != 0) return status;
  for (const eval::Run& run : log.runs()) {
    if (!run.skipped->empty()) {
      fmt::print(stderr, "swinzoo: {} of {} images could not be read, and are not counted\n",
                 run.skipped->size(), folder.samples.size());
      return static_cast<int>(ErrorCode::kCorrupt);
    }
  }
  return 0;
}

}  // namespace

Action setup_eval(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("model", options->models, "Catalog ids, hf:OWNER/REPO in the cache, or paths")
      ->required()
      ->type_name("MODEL");
  app.add_option("--data", options->data, "A folder with a folder of images for each class")
      ->required()
      ->type_name("DIR");
  app.add_option("-b,--batch-size", options->batch_size, "Images in one call")
      ->check(in_range(1, 65536))
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--samples", options->samples, "Keep what the model said of each image (JSON)");
  add_model_options(app, options->run);
  add_run_output_options(app, options->output);
  return [options](const Globals& globals) { return run(*options, globals); };
}

}  // namespace swinzoo::cmd
