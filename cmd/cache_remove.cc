// swinzoo cache rm and prune.
#include <fmt/format.h>

#include "cmd/cache_actions.h"
#include "cmd/options.h"
#include "cmd/progress.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

std::string size_text(uint64_t bytes) { return bytes_text(static_cast<double>(bytes)); }

void print_text(const ChosenModel& chosen, const zoo::Removed& removed, bool verbose) {
  for (const zoo::CachedRevision& revision : removed.revisions) {
    fmt::print("{}  {}  {}\n", chosen.model.source,
               revision.commit.empty() ? "-" : revision.commit.substr(0, 12),
               revision.refs.empty() ? "(no ref)" : fmt::format("{}", fmt::join(revision.refs, " ")));
  }
  if (removed.revisions.empty()) {
    fmt::print("{}  {} unfinished or left over\n", chosen.model.source, removed.files.size());
  }
  if (!verbose) return;
  for (const auto& path : removed.files) fmt::print("  {}\n", path.string());
}

json::object to_json(const ChosenModel& chosen, const zoo::Removed& removed, bool dry_run) {
  json::array revisions;
  for (const zoo::CachedRevision& revision : removed.revisions) revisions.emplace_back(revision.commit);
  json::array files;
  for (const auto& path : removed.files) files.emplace_back(path.string());
  return {{"model", chosen.model.source},
          {"dry_run", dry_run},
          {"revisions", std::move(revisions)},
          {"files", std::move(files)},
          {"size", removed.size},
          {"kept", json::array(removed.kept.begin(), removed.kept.end())}};
}

}  // namespace

int remove_from_cache(const CacheRemoveOptions& options,
                      const std::function<zoo::Removal(const ChosenModel&)>& removal_of,
                      const Globals& globals) {
  json::array results;
  uint64_t size = 0;
  size_t revisions = 0;
  int status = 0;
  for (const ChosenModel& chosen : choose_cached(options.filter)) {
    const zoo::Removed removed = zoo::remove_cached(chosen.model, removal_of(chosen), options.dry_run);
    for (const std::string& kept : removed.kept) {
      fmt::print(stderr, "swinzoo: warning: {}; it was left alone\n", kept);
      status = static_cast<int>(ErrorCode::kFailed);
    }
    size += removed.size;
    revisions += removed.revisions.size();
    if (removed.files.empty() && removed.kept.empty()) continue;
    if (options.json) results.push_back(to_json(chosen, removed, options.dry_run));
    if (!options.json && !removed.files.empty()) print_text(chosen, removed, globals.verbose);
  }
  if (options.json) {
    print_results(std::move(results));
  } else {
    fmt::print("{}{} revisions, {}\n", options.dry_run ? "would remove " : "removed ", revisions,
               size_text(size));
  }
  return status;
}

}  // namespace swinzoo::cmd
