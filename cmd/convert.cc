// swinzoo convert: a checkpoint into the common format.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "cmd/command.h"
#include "cmd/options.h"
#include "formats/error.h"
#include "zoo/architecture.h"
#include "zoo/canonical.h"
#include "zoo/model.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::string source;
  std::string output;
  std::string catalog;
  bool force = false;
  bool json = false;
};

int run(const Options& options) {
  if (!options.force && std::filesystem::exists(options.output)) {
    fail(ErrorCode::kUsage, "{}: is there already; --force overwrites it", options.output);
  }
  const zoo::OpenedModel source = zoo::open_model(options.source, load_catalog(options.catalog));
  const backends::Plan plan = zoo::build_plan(source.spec);
  zoo::write_canonical(options.output, source.spec, plan, *source.checkpoint);

  const std::unique_ptr<Checkpoint> written = open_checkpoint(options.output);
  const std::string digest = zoo::weights_digest(zoo::canonical_digests(*written, options.output));
  int64_t params = 0;
  for (const TensorInfo& tensor : written->tensors()) params += element_count(tensor.shape);
  const auto bytes = std::filesystem::file_size(options.output);
  if (options.json) {
    print_results({json::object{{"model", source.spec.id},
                                {"source", source.origin},
                                {"output", options.output},
                                {"tensors", written->tensors().size()},
                                {"params", params},
                                {"bytes", bytes},
                                {"weights_digest", digest}}});
  } else {
    fmt::print("{}\n  source   {}\n  tensors  {}\n  params   {}\n  bytes    {}\n  weights  sha256:{}\n",
               options.output, source.origin, written->tensors().size(), params, bytes, digest);
  }
  return 0;
}

}  // namespace

Action setup_convert(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("source", options->source, "A catalog id, hf:OWNER/REPO in the cache, or a path")
      ->required()
      ->type_name("SRC");
  app.add_option("-o,--output", options->output, "The canonical file to write")
      ->required()
      ->type_name("OUT.safetensors");
  app.add_flag("--force", options->force, "Overwrite OUT where it is there already");
  add_catalog_option(app, options->catalog);
  add_format_option(app, options->json);
  return [options](const Globals&) { return run(*options); };
}

}  // namespace swinzoo::cmd
