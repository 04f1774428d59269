#include "cmd/cache_choice.h"

#include <algorithm>
#include <set>

#include "cmd/options.h"
#include "formats/error.h"
#include "zoo/cache_scan.h"
#include "zoo/glob.h"
#include "zoo/hf_cache.h"
#include "zoo/hub.h"
#include "zoo/hub_settings.h"

namespace swinzoo::cmd {
namespace {

constexpr size_t kShortestCommit = 7;  // git's own

// The source without its revision, as the caches name it.
std::string plain(const std::string& source) {
  return zoo::is_hub_ref(source) ? "hf:" + zoo::parse_hub_ref(source).repo : source;
}

// All names that a model goes by.
std::set<std::string> names_of(const std::string& source, const zoo::Catalog& catalog) {
  std::set<std::string> names = {source, source.substr(source.find(':') + 1)};
  for (const zoo::ModelSpec& spec : catalog.entries()) {
    const auto is_it = [&](const std::string& s) { return plain(s) == source; };
    if (std::none_of(spec.sources.begin(), spec.sources.end(), is_it)) continue;
    names.insert(spec.id);
    names.insert(spec.aliases.begin(), spec.aliases.end());
  }
  return names;
}

const zoo::ModelSpec* entry_of(const std::string& source, const zoo::Catalog& catalog) {
  for (const zoo::ModelSpec& spec : catalog.entries()) {
    for (const std::string& s : spec.sources) {
      if (plain(s) == source) return &spec;
    }
  }
  return nullptr;
}

bool has_revision(const zoo::CachedRevision& revision, const std::string& name) {
  if (name.size() >= kShortestCommit && revision.commit.starts_with(name)) return true;
  return std::find(revision.refs.begin(), revision.refs.end(), name) != revision.refs.end();
}

// Takes what the pattern means into `chosen`; false if that is nothing.
bool take(const std::string& pattern, const zoo::Catalog& catalog, const std::vector<ChosenModel>& all,
          std::vector<ChosenModel>& chosen) {
  const size_t at = pattern.rfind('@');
  const bool is_commit = zoo::HfRepoCache::is_commit(pattern);
  const std::string model_pattern = is_commit ? "*" : pattern.substr(0, at);
  const std::string revision_name = is_commit                 ? pattern
                                    : at == std::string::npos ? ""
                                                              : pattern.substr(at + 1);
  bool found = false;
  for (const ChosenModel& candidate : all) {
    const std::set<std::string> names = names_of(candidate.model.source, catalog);
    const auto matches = [&](const std::string& p) {
      return std::any_of(names.begin(), names.end(), [&](const auto& n) { return zoo::matches_glob(p, n); });
    };
    ChosenModel taken = candidate;
    if (!matches(pattern)) {
      if (revision_name.empty() || !matches(model_pattern)) continue;
      for (const zoo::CachedRevision& revision : candidate.model.revisions) {
        if (has_revision(revision, revision_name)) taken.commits.push_back(revision.commit);
      }
      if (taken.commits.empty()) continue;
    }
    found = true;
    const auto known = std::find_if(chosen.begin(), chosen.end(), [&](const ChosenModel& other) {
      return other.model.folder == taken.model.folder;
    });
    if (known == chosen.end()) {
      chosen.push_back(std::move(taken));
    } else if (taken.is_whole() || known->is_whole()) {
      known->commits.clear();
    } else {
      known->commits.insert(known->commits.end(), taken.commits.begin(), taken.commits.end());
    }
  }
  return found;
}

std::vector<ChosenModel> all_models(const CacheFilter& filter, const zoo::Catalog& catalog) {
  if (!filter.collection.empty()) entries_of_collection(filter.collection, catalog);  // or there is none
  std::vector<ChosenModel> all;
  std::vector<zoo::CachedModel> models = zoo::scan_hf_cache(zoo::hub_cache_root());
  for (zoo::CachedModel& model : zoo::scan_own_cache()) models.push_back(std::move(model));
  for (zoo::CachedModel& model : models) {
    const zoo::ModelSpec* entry = entry_of(model.source, catalog);
    if (!filter.collection.empty() && (entry == nullptr || entry->collection != filter.collection)) continue;
    all.push_back({std::move(model), entry != nullptr ? entry->id : "", {}});
  }
  return all;
}

}  // namespace

void add_cache_filter(CLI::App& app, CacheFilter& filter) {
  app.add_option("model", filter.patterns,
                 "Names or globs ('timm/*') of models, @REV after one for one revision; or commits")
      ->type_name("MODEL");
  app.add_option("--collection", filter.collection, "Only a collection of the catalog, such as timm")
      ->type_name("COLLECTION");
  add_catalog_option(app, filter.catalog);
}

bool ChosenModel::means(const zoo::CachedRevision& revision) const {
  return is_whole() || std::find(commits.begin(), commits.end(), revision.commit) != commits.end();
}

std::vector<ChosenModel> choose_cached(const CacheFilter& filter) {
  const zoo::Catalog catalog = load_catalog(filter.catalog);
  const std::vector<ChosenModel> all = all_models(filter, catalog);
  if (filter.patterns.empty()) return all;
  std::vector<ChosenModel> chosen;
  for (const std::string& pattern : filter.patterns) {
    if (!take(pattern, catalog, all, chosen))
      fail(ErrorCode::kNotFound, "{}: nothing in the cache has that name", pattern);
  }
  std::sort(chosen.begin(), chosen.end(),
            [](const auto& a, const auto& b) { return a.model.source < b.model.source; });
  return chosen;
}

}  // namespace swinzoo::cmd
