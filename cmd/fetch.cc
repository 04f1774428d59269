// swinzoo fetch: makes models present, and says where they lie.
#include <algorithm>
#include <memory>

#include "cmd/command.h"
#include "cmd/fetch_output.h"
#include "cmd/interrupt.h"
#include "cmd/model_fetch.h"
#include "cmd/options.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::vector<std::string> models;
  std::string collection;
  FetchFlags flags;
  bool dry_run = false;
  bool locked = false;
  std::string lock_file = zoo::kLockFile;
  std::string catalog;
  bool json = false;

  // A line a model and a summary, in place of a block a model.
  bool is_list() const { return !collection.empty(); }
};

// The models to fetch: those named, a collection's, or, with --locked alone, the lock file's.
std::vector<std::string> models_of(const Options& options, const zoo::Catalog& catalog,
                                   const zoo::LockFile& lock) {
  std::vector<std::string> models = with_collection(options.models, options.collection, catalog);
  if (models.empty() && options.locked) {
    for (const zoo::LockedEntry& entry : lock.entries) models.push_back(entry.entry);
  }
  if (models.empty() && !options.locked)
    fail(ErrorCode::kUsage, "fetch: name what to fetch: MODEL..., --collection, or --locked");
  return models;
}

const zoo::LockedEntry& locked_entry(const std::string& model, const zoo::Catalog& catalog,
                                     const zoo::LockFile& lock, const std::string& file) {
  const zoo::LockedEntry* entry = lock.find(lock_name_of(model, catalog));
  if (entry == nullptr) {
    fail(ErrorCode::kNotFound, "{}: {} does not have it; 'swinzoo lock {}' adds it", model, file, model);
  }
  return *entry;
}

// The mirrors of what was locked; none where the catalog does not know it.
std::vector<zoo::Source> mirrors_of(const std::string& model, const zoo::Catalog& catalog) {
  return catalog.lookup(model) != nullptr ? sources_of(model, catalog) : std::vector<zoo::Source>();
}

int run(const Options& options, const Globals& globals) {
  const zoo::Catalog catalog = load_catalog(options.catalog);
  const zoo::LockFile lock = options.locked ? zoo::read_lock_file(options.lock_file) : zoo::LockFile();
  const std::vector<std::string> models = models_of(options, catalog, lock);
  size_t width = 0;
  for (const std::string& model : models) width = std::max(width, model.size());
  install_interrupt_handler();
  ModelFetcher fetcher(options.flags, globals);
  FetchSummary summary;
  json::array results;
  const auto show = [&](const std::string& model, const auto& outcome) {
    summary.add(outcome);
    if (options.json) results.push_back(to_json(model, outcome));
    if (!options.json && options.is_list()) print_line(model, width, outcome);
  };
  int status = 0;
  for (size_t i = 0; i < models.size(); ++i) {
    const std::string& model = models[i];
    const std::string what = models.size() > 1 ? fmt::format("{}/{}", i + 1, models.size()) : "all";
    try {
      const auto done = [&](const auto& outcome) {
        show(model, outcome);
        if (!options.json && !options.is_list()) print_text(model, outcome);
        std::fflush(stdout);
      };
      if (options.locked) {
        const zoo::LockedEntry& entry = locked_entry(model, catalog, lock, options.lock_file);
        done(fetcher.fetch_locked(entry, mirrors_of(model, catalog), what));
      } else if (options.dry_run) {
        done(fetcher.plan(sources_of(model, catalog, options.flags)));
      } else {
        done(fetcher.fetch(sources_of(model, catalog, options.flags), what));
      }
    } catch (const Error& error) {
      fmt::print(stderr, "swinzoo: error: {}\n", error.what());
      show(model, error);
      const ErrorCode code = models.size() > 1 ? ErrorCode::kFailed : error.code();
      status = static_cast<int>(error.code() == ErrorCode::kInterrupted ? error.code() : code);
      if (error.code() == ErrorCode::kInterrupted) break;
    }
  }
  if (options.json) print_results(std::move(results));
  if (!options.json && (options.is_list() || options.dry_run)) fmt::print("{}\n", summary.text());
  return status;
}

}  // namespace

Action setup_fetch(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  FetchFlags& flags = options->flags;
  app.add_option("model", options->models,
                 "Catalog ids, hf:OWNER/REPO[@REV], tfhub:OWNER/NAME/VERSION, kaggle:..., URLs or paths")
      ->type_name("MODEL");
  app.add_option("--collection", options->collection,
                 "All entries of a collection of the catalog, such as sayakpaul/swin/1")
      ->type_name("COLLECTION");
  CLI::Option* revision =
      app.add_option("--revision", flags.revision, "A branch, tag or commit of the Hugging Face repository")
          ->type_name("REV");
  CLI::Option* include =
      app.add_option("--include", flags.include,
                     "Of a Hugging Face repository the files that match a glob, in place of the model's")
          ->type_name("GLOB")
          ->allow_extra_args(false);
  CLI::Option* exclude =
      app.add_option("--exclude", flags.exclude, "Its files but for those that match a glob")
          ->type_name("GLOB")
          ->allow_extra_args(false);
  add_fetch_options(app, flags);
  CLI::Option* dry_run = app.add_flag("--dry-run", options->dry_run,
                                      "Only show which files, how big, from where, and what is there");
  CLI::Option* locked = app.add_flag("--locked", options->locked, "Exactly what the lock file says, or fail");
  app.add_option("--lock-file", options->lock_file, "Where it is")
      ->type_name("FILE")
      ->capture_default_str()
      ->needs(locked);
  for (CLI::Option* other : {revision, include, exclude, dry_run}) locked->excludes(other);
  add_catalog_option(app, options->catalog);
  add_format_option(app, options->json);
  return [options](const Globals& globals) { return run(*options, globals); };
}

}  // namespace swinzoo::cmd
