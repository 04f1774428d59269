#include "cmd/model_options.h"

#include <fmt/format.h>

#include "cmd/options.h"
#include "eval/machine.h"

namespace swinzoo::cmd {

void add_threads_option(CLI::App& app, int& threads) {
  app.add_option("--threads", threads, "Threads to run on (default: the cores that there are)")
      ->check(in_range(1, 4096))
      ->type_name("N");
}

CLI::Option* add_precision_option(CLI::App& app, backends::Precision& precision, const std::string& about) {
  const auto set = [&precision](const std::string& name) {
    precision = name == "bf16" ? backends::Precision::kBf16 : backends::Precision::kFp32;
  };
  return app.add_option_function<std::string>("--precision", set, about)
      ->check(one_of({"fp32", "bf16"}))
      ->type_name("fp32|bf16")
      ->default_str("fp32");
}

void add_model_options(CLI::App& app, ModelOptions& options, bool with_threads) {
  add_catalog_option(app, options.catalog);
  add_hint_options(app, options.hints);
  std::vector<std::string> names;
  for (const backends::Backend& backend : backends::backends()) names.emplace_back(backend.name);
  app.add_option("--backend", options.backend, "What runs the model")
      ->check(one_of(names))
      ->type_name(fmt::format("{}", fmt::join(names, "|")))
      ->capture_default_str();
  add_precision_option(app, options.precision, "What the products are computed in");
  if (with_threads) add_threads_option(app, options.threads);
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
  zoo::Model loaded(std::move(opened), backends::find_backend(options.backend),
                    {.threads = threads, .streams = options.streams, .precision = options.precision});
  if (globals.verbose) {
    fmt::print(stderr, "swinzoo: {}: {} from {}; backend {}, instruction set {}, {}, {} threads\n", model,
               loaded.spec().architecture, loaded.origin(), options.backend, loaded.executable().isa(),
               backends::name_of(options.precision), threads);
  }
  return loaded;
}

}  // namespace swinzoo::cmd
