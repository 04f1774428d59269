#include "cmd/model_options.h"

#include <fmt/format.h>

#include "cmd/options.h"
#include "eval/machine.h"
#include "formats/error.h"
#include "zoo/spec_json.h"

namespace swinzoo::cmd {
namespace {

void change(std::array<double, 3>& channels, const std::vector<double>& values, const char* name) {
  if (values.size() == 2) fail(ErrorCode::kUsage, "{}: expected one number or three, found 2", name);
  for (size_t c = 0; !values.empty() && c < channels.size(); ++c) {
    channels[c] = values[values.size() == 1 ? 0 : c];
  }
}

void change(zoo::Preprocessing& preprocessing, const PreprocessingOptions& options) {
  preprocessing.crop_pct = options.crop_pct.value_or(preprocessing.crop_pct);
  if (!options.crop_mode.empty()) {
    preprocessing.crop_mode = zoo::crop_mode_from_name(options.crop_mode, "--crop-mode");
  }
  if (!options.interpolation.empty()) {
    preprocessing.interpolation = zoo::interpolation_from_name(options.interpolation, "--interpolation");
  }
  change(preprocessing.mean, options.mean, "--mean");
  change(preprocessing.std, options.std, "--std");
}

}  // namespace

void add_threads_option(CLI::App& app, int& threads) {
  app.add_option("--threads", threads, "Threads to run on (default: the cores that there are)")
      ->check(in_range(1, 4096))
      ->type_name("N");
}

backends::Precision precision_of(std::string_view name) {
  return name == "bf16" ? backends::Precision::kBf16 : backends::Precision::kFp32;
}

CLI::Option* add_precision_option(CLI::App& app, backends::Precision& precision, const std::string& about) {
  const auto set = [&precision](const std::string& name) { precision = precision_of(name); };
  return app.add_option_function<std::string>("--precision", set, about)
      ->check(one_of({"fp32", "bf16"}))
      ->type_name("fp32|bf16")
      ->default_str("fp32");
}

void add_loading_options(CLI::App& app, ModelOptions& options) {
  add_catalog_option(app, options.catalog);
  add_hint_options(app, options.hints);
  std::vector<std::string> names;
  for (const backends::Backend& backend : backends::backends()) names.emplace_back(backend.name);
  app.add_option("--backend", options.backend, "What runs the model")
      ->check(one_of(names))
      ->type_name(fmt::format("{}", fmt::join(names, "|")))
      ->capture_default_str();
}

void add_model_options(CLI::App& app, ModelOptions& options) {
  add_loading_options(app, options);
  add_precision_option(app, options.precision, "What the products are computed in");
  add_threads_option(app, options.threads);
}

void add_preprocessing_options(CLI::App& app, PreprocessingOptions& options) {
  app.add_option("--crop-pct", options.crop_pct, "Share of the resized image that the crop keeps")
      ->check(in_range(0.01, 100.0))
      ->type_name("X");
  app.add_option("--crop-mode", options.crop_mode, "How an image becomes square")
      ->check(one_of({"center", "squash", "border"}))
      ->type_name("center|squash|border");
  app.add_option("--interpolation", options.interpolation, "The resize filter")
      ->check(one_of({"bilinear", "bicubic"}))
      ->type_name("bilinear|bicubic");
  const auto add_channels = [&](const char* name, std::vector<double>& values, double least,
                                const char* about) {
    app.add_option(name, values, about)
        ->expected(1, 3)
        ->delimiter(',')
        ->check(in_range(least, 1e6))
        ->type_name("R G B");
  };
  add_channels("--mean", options.mean, -1e6,
               "Subtracted from values in 0..1; one number for all channels, or three");
  add_channels("--std", options.std, 1e-6, "What they are divided by then");
}

int threads_of(const ModelOptions& options) {
  return options.threads > 0 ? options.threads : eval::available_cores();
}

zoo::Model load_model(const std::string& model, const zoo::Catalog& catalog, const ModelOptions& options,
                      int threads, const Globals& globals) {
  return load_model(zoo::open_model(model, catalog, options.hints), model, options, threads, globals);
}

zoo::Model load_model(zoo::OpenedModel opened, const std::string& model, const ModelOptions& options,
                      int threads, const Globals& globals) {
  change(opened.spec.preprocessing, options.preprocessing);
  zoo::Model loaded(
      std::move(opened), backends::find_backend(options.backend),
      {.threads = threads, .streams = options.streams, .precision = options.precision, .pin = options.pin});
  if (globals.verbose) {
    fmt::print(stderr, "swinzoo: {}: {} from {}; backend {}, instruction set {}, {}, {} threads\n", model,
               loaded.spec().architecture, loaded.origin(), options.backend, loaded.executable().isa(),
               backends::name_of(options.precision), threads);
  }
  return loaded;
}

}  // namespace swinzoo::cmd
