// swinzoo fetch: makes models present, and says where they lie.
#include <algorithm>
#include <boost/json.hpp>
#include <memory>

#include "cmd/command.h"
#include "cmd/interrupt.h"
#include "cmd/options.h"
#include "cmd/progress.h"
#include "formats/error.h"
#include "formats/json.h"
#include "formats/sha256.h"
#include "zoo/hub.h"
#include "zoo/hub_settings.h"
#include "zoo/model.h"
#include "zoo/model_source.h"

namespace swinzoo::cmd {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> models;
  std::string revision;
  bool offline = false;
  std::string catalog;
  bool json = false;
};

// Where a model is fetched from: what was asked for, or a catalog entry's first source of a kind that is
// built.
std::string source_of(const std::string& model, const zoo::Catalog& catalog) {
  const zoo::ModelSpec* entry = catalog.lookup(model);
  if (entry == nullptr) {
    if (!zoo::names_files(model)) catalog.find(model);  // says what may have been meant
    return model;
  }
  const auto built = std::find_if(entry->sources.begin(), entry->sources.end(), &zoo::is_built);
  return built == entry->sources.end() ? entry->sources.front() : *built;
}

// The model's source with --revision, checked; kUsage where the two don't go together.
std::string with_revision(const std::string& source, const std::string& revision) {
  if (!zoo::is_hub_ref(source)) {
    if (!revision.empty())
      fail(ErrorCode::kUsage, "--revision goes with hf:OWNER/REPO, not with '{}'", source);
    return source;
  }
  const zoo::HubRef ref = zoo::parse_hub_ref(source);
  if (revision.empty()) return source;
  if (source.find('@') != std::string::npos && ref.revision != revision) {
    fail(ErrorCode::kUsage, "'{}' names a revision, and --revision another: '{}'", source, revision);
  }
  return zoo::parse_hub_ref(fmt::format("hf:{}@{}", ref.repo, revision)).text();
}

zoo::Fetched fetch_from_hub(const zoo::HubRef& ref, const Options& options, const Globals& globals) {
  std::unique_ptr<Progress> bar;
  std::string file_shown;
  zoo::FetchOptions how;
  how.offline = options.offline || zoo::hub_offline();
  how.cancelled = &interrupted;
  how.note = [&](const std::string& text) {
    bar.reset();
    file_shown.clear();
    if (!globals.quiet) fmt::print(stderr, "swinzoo: note: {}\n", text);
  };
  return zoo::fetch_from_hub(ref, how, [&](const std::string& file, uint64_t done, uint64_t total) {
    if (file != file_shown) {
      bar.reset();  // wipes the line before the next one is drawn
      bar = std::make_unique<Progress>(file, static_cast<int64_t>(total), Unit::kBytes, globals.quiet);
      file_shown = file;
    }
    bar->update(static_cast<int64_t>(done));
  });
}

// A path: there is nothing to download, but it must hold a model.
zoo::Fetched look_at_path(const std::string& source) {
  const zoo::ModelFiles model = zoo::resolve_model_files(source, {});
  zoo::Fetched found{fs::absolute(model.checkpoint).parent_path().lexically_normal(), "", {}};
  for (const auto& path : {model.config, model.preprocessor_config, std::optional(model.checkpoint)}) {
    if (!path) continue;
    found.files.push_back(
        {path->filename().string(), fs::absolute(*path), fs::file_size(*path), sha256_of_file(*path), false});
  }
  return found;
}

zoo::Fetched fetch(const std::string& source, const Options& options, const Globals& globals) {
  zoo::require_built(source);
  if (zoo::is_hub_ref(source)) return fetch_from_hub(zoo::parse_hub_ref(source), options, globals);
  return look_at_path(source);
}

const char* state_of(const zoo::FetchedFile& file, const zoo::Fetched& fetched) {
  if (fetched.commit.empty()) return "local";
  return file.downloaded ? "downloaded" : "cached";
}

void print_text(const std::string& model, const zoo::Fetched& fetched) {
  fmt::print("{}\n  folder {}\n", model, fetched.folder.string());
  if (!fetched.commit.empty()) fmt::print("  commit {}\n", fetched.commit);
  size_t width = 0;
  for (const auto& file : fetched.files) width = std::max(width, file.name.size());
  for (const auto& file : fetched.files) {
    fmt::print("  {:<{}}  {:>12}  sha256 {}  {}\n", file.name, width, file.size, file.sha256,
               state_of(file, fetched));
  }
}

json::object to_json(const std::string& model, const zoo::Fetched& fetched) {
  json::array files;
  for (const auto& file : fetched.files) {
    files.push_back(json::object{{"name", file.name},
                                 {"path", file.path.string()},
                                 {"size", file.size},
                                 {"sha256", file.sha256},
                                 {"state", state_of(file, fetched)}});
  }
  json::object result{{"model", model}, {"ok", true}, {"folder", fetched.folder.string()}};
  if (!fetched.commit.empty()) result["commit"] = fetched.commit;
  result["files"] = std::move(files);
  return result;
}

json::object to_json(const std::string& model, const Error& error) {
  return {{"model", model},
          {"ok", false},
          {"error", json::object{{"code", static_cast<int>(error.code())}, {"message", error.what()}}}};
}

int run(const Options& options, const Globals& globals) {
  const zoo::Catalog catalog = load_catalog(options.catalog);
  install_interrupt_handler();
  json::array results;
  int status = 0;
  for (const std::string& model : options.models) {
    try {
      const std::string source = with_revision(source_of(model, catalog), options.revision);
      const zoo::Fetched fetched = fetch(source, options, globals);
      if (options.json) {
        results.push_back(to_json(model, fetched));
      } else {
        print_text(model, fetched);
      }
    } catch (const Error& error) {
      fmt::print(stderr, "swinzoo: error: {}\n", error.what());
      results.push_back(to_json(model, error));
      const ErrorCode code = options.models.size() > 1 ? ErrorCode::kFailed : error.code();
      status = static_cast<int>(error.code() == ErrorCode::kInterrupted ? error.code() : code);
      if (error.code() == ErrorCode::kInterrupted) break;
    }
  }
  if (options.json) print_results(std::move(results));
  return status;
}

}  // namespace

Action setup_fetch(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("model", options->models, "Catalog ids, hf:OWNER/REPO[@REV], or paths")
      ->required()
      ->type_name("MODEL");
  app.add_option("--revision", options->revision, "A branch, tag or commit of the hub's repository");
  app.add_flag("--offline", options->offline, "Only look in the cache (HF_HUB_OFFLINE=1)");
  add_catalog_option(app, options->catalog);
  add_format_option(app, options->json);
  return [options](const Globals& globals) { return run(*options, globals); };
}

}  // namespace swinzoo::cmd
