#include "cmd/model_options.h"

#include <fmt/format.h>

#include "cmd/options.h"
#include "eval/machine.h"
#include "formats/error.h"

namespace swinzoo::cmd {

void add_threads_option(CLI::App& app, int& threads) {
  app.add_option("--threads", threads, "Threads to run on (default: the cores that there are)")
      ->check(in_range(1, 4096))
      ->type_name("N");
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
  app.add_option("--precision", options.precision, "What the products are computed in")
      ->check(one_of({"fp32", "bf16"}))
      ->type_name("fp32|bf16")
      ->capture_default_str();
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
  if (options.precision != "fp32") {
    fail(ErrorCode::kUnsupported, "precision {} is not built yet; there is: fp32", options.precision);
  }
  zoo::Model loaded(std::move(opened), backends::find_backend(options.backend), {threads});
  if (globals.verbose) {
    fmt::print(stderr, "swinzoo: {}: {} from {}; backend {}, instruction set {}, {} threads\n", model,
               loaded.spec().architecture, loaded.origin(), options.backend, loaded.executable().isa(),
               threads);
  }
  return loaded;
}

}  // namespace swinzoo::cmd
