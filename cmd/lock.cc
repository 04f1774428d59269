// swinzoo lock: writes down exactly which bytes models are made of.
#include <algorithm>
#include <filesystem>
#include <memory>

#include "cmd/command.h"
#include "cmd/entry_facts.h"
#include "cmd/interrupt.h"
#include "cmd/model_fetch.h"
#include "cmd/options.h"
#include "formats/atomic_file.h"
#include "formats/error.h"
#include "zoo/lock_model.h"

namespace swinzoo::cmd {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> models;
  std::string file = zoo::kLockFile;
  FetchFlags flags;
  std::string catalog;
  bool json = false;
};

// The models to lock: those named, else those in the lock file, else all of the catalog that are present.
std::vector<std::string> models_of(const Options& options, const zoo::Catalog& catalog,
                                   const zoo::LockFile& lock) {
  if (!options.models.empty()) return options.models;
  std::vector<std::string> models;
  for (const zoo::LockedEntry& entry : lock.entries) models.push_back(entry.entry);
  if (!models.empty()) return models;
  for (const zoo::ModelSpec& spec : catalog.entries()) {
    if (is_fetched(spec)) models.push_back(spec.id);
  }
  if (models.empty()) {
    fail(ErrorCode::kNotFound, "nothing to lock: no entry was named, and none of the catalog is fetched yet");
  }
  return models;
}

json::object to_json(const zoo::LockedEntry& entry) {
  json::array files;
  for (const zoo::LockedFile& file : entry.files) {
    files.push_back(json::object{{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}});
  }
  json::object result{{"entry", entry.entry}, {"source", entry.source}};
  if (!entry.commit.empty()) result["commit"] = entry.commit;
  result["files"] = std::move(files);
  return result;
}

int run(const Options& options, const Globals& globals) {
  const zoo::Catalog catalog = load_catalog(options.catalog);
  std::error_code error;
  zoo::LockFile lock = fs::exists(options.file, error) ? zoo::read_lock_file(options.file) : zoo::LockFile();
  const std::vector<std::string> models = models_of(options, catalog, lock);
  install_interrupt_handler();
  ModelFetcher fetcher(options.flags, globals);
  json::array results;
  for (size_t i = 0; i < models.size(); ++i) {
    const std::string& model = models[i];
    const auto sources = sources_of(model, catalog);
    const zoo::Fetched fetched = fetcher.fetch(sources, fmt::format("{}/{}", i + 1, models.size()));
    const zoo::ModelSpec* spec = catalog.lookup(model);
    zoo::LockedEntry entry =
        zoo::lock_model(lock_name_of(model, catalog), spec != nullptr ? spec->license : "", sources, fetched);
    if (!options.json) {
      fmt::print("{}  {}{}  {} files\n", entry.entry, entry.source,
                 entry.commit.empty() ? "" : "@" + entry.commit, entry.files.size());
    }
    results.push_back(to_json(entry));
    lock.put(std::move(entry));
  }
  write_file(options.file, zoo::to_text(lock));
  if (options.json) print_results(std::move(results));
  return 0;
}

}  // namespace

Action setup_lock(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("entry", options->models,
                 "Catalog ids or other models; none: those in the lock file, else all that are fetched")
      ->type_name("ENTRY");
  app.add_option("-o,--lock-file", options->file, "The file to write, or to add to")
      ->type_name("FILE")
      ->capture_default_str();
  add_fetch_options(app, options->flags);
  add_catalog_option(app, options->catalog);
  add_format_option(app, options->json);
  return [options](const Globals& globals) { return run(*options, globals); };
}

}  // namespace swinzoo::cmd
