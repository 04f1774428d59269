#include "cmd/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eval/history.h"
#include "formats/error.h"
#include "zoo/suggest.h"

namespace swinzoo::cmd {

CLI::Validator one_of(const std::vector<std::string>& words) {
  const auto check = [words](const std::string& word) {
    if (std::find(words.begin(), words.end(), word) != words.end()) return std::string();
    const auto near = zoo::nearest(word, words);
    return fmt::format("'{}' is none of {}{}", word, fmt::join(words, ", "),
                       near ? fmt::format("; did you mean '{}'?", *near) : "");
  };
  return CLI::Validator(check, "");
}

void add_format_option(CLI::App& app, bool& json) {
  app.add_option_function<std::string>(
         "--format", [&json](const std::string& name) { json = name == "json"; }, "How to print")
      ->check(one_of({"text", "json"}))
      ->type_name("text|json")
      ->default_str("text");
  app.add_flag("--json", json, "The same as --format json");
}

void add_catalog_option(CLI::App& app, std::string& path) {
  app.add_option("--catalog", path, "A file with more entries (docs/catalog.md)")
      ->envname("SWINZOO_CATALOG")
      ->type_name("FILE");
}

void add_history_option(CLI::App& app, std::string& path) {
  app.add_option("--history", path,
                 "The history's file; else SWINZOO_HISTORY, else ~/.local/share/swinzoo/history.db")
      ->type_name("FILE");
}

std::filesystem::path history_path(const std::string& path) {
  return path.empty() ? eval::default_history_path() : std::filesystem::path(path);
}

void add_hint_options(CLI::App& app, zoo::SpecHints& hints) {
  app.add_option("--arch", hints.architecture, "The catalog's architecture, where the files don't tell it")
      ->type_name("NAME");
  app.add_option("--img-size", hints.image_size,
                 "Run at images of another side than the model's own, which the files may not tell")
      ->check(in_range<int64_t>(1, 65536))
      ->type_name("N");
  app.add_option("--frames", hints.frames, "Run at clips of another length than the model's own")
      ->check(in_range<int64_t>(1, 65536))
      ->type_name("N");
}

zoo::Catalog load_catalog(const std::string& path) {
  const zoo::Catalog& built_in = zoo::Catalog::built_in();
  return path.empty() ? built_in : built_in.with_file(path);
}

std::vector<std::string> collections_of(const zoo::Catalog& catalog) {
  std::vector<std::string> names;
  for (const zoo::ModelSpec& spec : catalog.entries()) {
    if (!spec.collection.empty() && std::ranges::find(names, spec.collection) == names.end())
      names.push_back(spec.collection);
  }
  return names;
}

std::vector<const zoo::ModelSpec*> entries_of_collection(const std::string& collection,
                                                         const zoo::Catalog& catalog) {
  std::vector<const zoo::ModelSpec*> entries;
  for (const zoo::ModelSpec& spec : catalog.entries()) {
    if (spec.collection == collection) entries.push_back(&spec);
  }
  if (entries.empty()) {
    const std::vector<std::string> names = collections_of(catalog);
    const auto near = zoo::nearest(collection, names);
    fail(ErrorCode::kNotFound, "the catalog has no collection '{}', but {}{}", collection,
         fmt::join(names, ", "), near ? fmt::format("; did you mean '{}'?", *near) : "");
  }
  return entries;
}

std::vector<std::string> with_collection(std::vector<std::string> models, const std::string& collection,
                                         const zoo::Catalog& catalog) {
  if (collection.empty()) return models;
  for (const zoo::ModelSpec* spec : entries_of_collection(collection, catalog)) {
    if (std::ranges::find(models, spec->id) == models.end()) models.push_back(spec->id);
  }
  return models;
}

int for_each_model(const std::vector<std::string>& models,
                   const std::function<void(const std::string&)>& body) {
  int status = 0;
  for (const std::string& model : models) {
    try {
      body(model);
    } catch (const Error& error) {
      if (models.size() == 1 || error.code() == ErrorCode::kInterrupted) throw;
      fmt::print(stderr, "swinzoo: error: {}: {}\n", model, error.what());
      status = static_cast<int>(ErrorCode::kFailed);
    }
  }
  return status;
}

void print_results(json::array results) {
  const json::object document = {{"schema", 1}, {"results", std::move(results)}};
  fmt::print("{}\n", to_pretty_json(document));
}

}  // namespace swinzoo::cmd
