// What `fetch` and `lock` have in common: from a MODEL to its files on this machine, with progress.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cmd/command.h"
#include "cmd/transfer_progress.h"
#include "zoo/catalog.h"
#include "zoo/fetch.h"
#include "zoo/fetch_plan.h"
#include "zoo/lock_file.h"

namespace swinzoo::cmd {

struct FetchFlags {
  std::string revision;
  bool offline = false;
  int connections = 8;
  std::vector<std::string> include, exclude;  // globs over a repository's files
};

// Declares --offline and -j, which both have. `flags` outlives the app's parsing.
void add_fetch_options(CLI::App& app, FetchFlags& flags);

// Where MODEL may be fetched from: what was named, or a catalog entry's sources. With a revision or globs
// only those on Hugging Face, at that revision. Throws kNotFound, saying what may have been meant; kUsage.
std::vector<zoo::Source> sources_of(const std::string& model, const zoo::Catalog& catalog,
                                    const FetchFlags& flags = {});

// What a lock file calls MODEL: the id of its catalog entry, or itself.
std::string lock_name_of(const std::string& model, const zoo::Catalog& catalog);

// Not thread-safe.
class ModelFetcher {
 public:
  ModelFetcher(const FetchFlags& flags, const Globals& globals);

  // Makes a model present. `what` stands before the bar of all its files: "3/26". Throws as fetch_model().
  zoo::Fetched fetch(const std::vector<zoo::Source>& sources, const std::string& what);
  // Exactly the locked files, the entry's other sources as mirrors.
  zoo::Fetched fetch_locked(const zoo::LockedEntry& entry, const std::vector<zoo::Source>& mirrors,
                            const std::string& what);
  // What fetch() would do.
  zoo::FetchPlan plan(const std::vector<zoo::Source>& sources);

 private:
  zoo::Fetched run(const std::vector<zoo::Source>& sources, const zoo::FetchOptions& how,
                   const zoo::ExpectedFile& expected, const std::string& what);

  TransferProgress progress_;
  zoo::FetchOptions how_;
};

}  // namespace swinzoo::cmd
