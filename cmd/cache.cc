// swinzoo cache: what lies in the caches; checking it, removing it.
#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "cmd/cache_actions.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "formats/error.h"
#include "zoo/hub.h"
#include "zoo/model.h"

namespace swinzoo::cmd {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kDay = 24 * 60 * 60;  // an unfinished download that old is nobody's any more

int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Action setup_ls(CLI::App& app) {
  const auto options = std::make_shared<CacheListOptions>();
  add_cache_filter(app, options->filter);
  app.add_option("--sort", options->sort, "name, or the largest, last used or last changed first")
      ->check(one_of({"name", "size", "used", "modified"}))
      ->type_name("name|size|used|modified")
      ->default_str("name");
  add_format_option(app, options->json);
  return [options](const Globals&) { return list_cache(*options); };
}

Action setup_cache_verify(CLI::App& app) {
  const auto options = std::make_shared<CacheVerifyOptions>();
  add_cache_filter(app, options->filter);
  add_format_option(app, options->json);
  return [options](const Globals& globals) { return verify_cache(*options, globals); };
}

void add_removal_options(CLI::App& app, CacheRemoveOptions& options) {
  app.add_flag("--dry-run", options.dry_run, "Only show what would be removed");
  add_format_option(app, options.json);
}

Action setup_rm(CLI::App& app) {
  const auto options = std::make_shared<CacheRemoveOptions>();
  add_cache_filter(app, options->filter);
  add_removal_options(app, *options);
  return [options](const Globals& globals) {
    if (options->filter.patterns.empty() && options->filter.collection.empty()) {
      fail(ErrorCode::kUsage, "cache rm: name what to remove: MODEL..., or --collection ('*' is all)");
    }
    const auto removal_of = [](const ChosenModel& chosen) {
      return zoo::Removal{[&chosen](const zoo::CachedRevision& r) { return chosen.means(r); },
                          chosen.is_whole() ? INT64_MAX : 0};
    };
    return remove_from_cache(*options, removal_of, globals);
  };
}

Action setup_prune(CLI::App& app) {
  const auto options = std::make_shared<CacheRemoveOptions>();
  const auto all = std::make_shared<bool>(false);
  add_cache_filter(app, options->filter);
  app.add_flag("--all", *all, "Unfinished downloads and leftovers that are not a day old too");
  add_removal_options(app, *options);
  return [options, all](const Globals& globals) {
    const int64_t before = *all ? INT64_MAX : now() - kDay;
    const auto removal_of = [before](const ChosenModel& chosen) {
      const bool has_refs = zoo::is_hub_ref(chosen.model.source);
      return zoo::Removal{[&chosen, has_refs](const zoo::CachedRevision& r) {
                            return has_refs && r.refs.empty() && chosen.means(r);
                          },
                          before};
    };
    return remove_from_cache(*options, removal_of, globals);
  };
}

struct PathOptions {
  std::vector<std::string> models;
  std::string catalog;
  bool json = false;
};

int print_paths(const PathOptions& options) {
  const zoo::Catalog catalog = load_catalog(options.catalog);
  json::array results;
  const int status = for_each_model(options.models, [&](const std::string& model) {
    const zoo::ModelFiles files = zoo::find_files(model, catalog);
    const fs::path checkpoint = fs::absolute(files.checkpoint).lexically_normal();
    const fs::path folder = fs::is_directory(checkpoint) ? checkpoint : checkpoint.parent_path();
    if (!options.json) fmt::print("{}\n", folder.string());
    results.push_back(json::object{{"model", model},
                                   {"folder", folder.string()},
                                   {"checkpoint", checkpoint.string()},
                                   {"origin", files.origin}});
  });
  if (options.json) print_results(std::move(results));
  return status;
}

Action setup_path(CLI::App& app) {
  const auto options = std::make_shared<PathOptions>();
  app.add_option("model", options->models, "Catalog ids, hf:OWNER/REPO[@REV], or other sources")
      ->required()
      ->type_name("MODEL");
  add_catalog_option(app, options->catalog);
  add_format_option(app, options->json);
  return [options](const Globals&) { return print_paths(*options); };
}

}  // namespace

Action setup_cache(CLI::App& app) {
  static constexpr Command kCommands[] = {
      {"ls", "What the caches hold, a line a revision", &setup_ls, "  swinzoo cache ls --sort size"},
      {"verify", "Read all of it and check its digests", &setup_cache_verify,
       "  swinzoo cache verify\n"
       "  swinzoo cache verify hf:OWNER/REPO --json"},
      {"rm", "Remove models, or revisions of them", &setup_rm, "  swinzoo cache rm hf:OWNER/REPO --dry-run"},
      {"prune", "Remove what no branch or tag stands for, and what unfinished downloads left", &setup_prune,
       "  swinzoo cache prune --dry-run"},
      {"path", "Where a model lies", &setup_path,
       "  swinzoo cache path swin_tiny_patch4_window7_224.ms_in1k"},
  };
  return setup_subcommands(app, kCommands);
}

}  // namespace swinzoo::cmd
