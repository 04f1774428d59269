// Which models of the caches a user means.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "zoo/cached_model.h"
#include "zoo/catalog.h"

namespace swinzoo::cmd {

struct CacheFilter {
  std::vector<std::string> patterns;  // none = all
  std::string collection;             // empty = all
  std::string catalog;                // --catalog FILE
};

// Declares MODEL... and --collection and --catalog. `filter` outlives the app's parsing.
void add_cache_filter(CLI::App& app, CacheFilter& filter);

struct ChosenModel {
  zoo::CachedModel model;
  std::string entry;                 // the catalog entry that has it as a source; empty if none has
  std::vector<std::string> commits;  // these revisions are meant; none = the whole model

  bool is_whole() const { return commits.empty(); }
  bool means(const zoo::CachedRevision& revision) const;
};

// The models in Hugging Face's cache and in ours that the filter lets through, by name. A pattern is a glob
// over hf:OWNER/REPO, OWNER/REPO, another source's text, or a catalog id or alias; @REV after it means one
// revision, by a branch, a tag or (the start of) a commit, and so does a commit alone. Throws kNotFound for a
// pattern that nothing in the cache matches, and for an unknown collection.
std::vector<ChosenModel> choose_cached(const CacheFilter& filter);

}  // namespace swinzoo::cmd
