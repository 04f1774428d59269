// Removing from the caches, beside other processes that fetch into them.
//
// What a swinzoo is fetching into is left alone: a repository of Hugging Face's cache (folder_lock.h), and an
// entry of our own (its lock). hf itself locks single blobs while it writes them: one goes only while we hold
// its lock, and after looking once more whether a revision has it. Refs go first and blobs last, so nothing
// ever stands for something that is not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "zoo/cached_model.h"

namespace swinzoo::zoo {

// What to remove of a model.
struct Removal {
  std::function<bool(const CachedRevision&)> revisions;
  int64_t loose_before =
      0;  // unfinished downloads and leftovers last written before then: seconds since 1970
};

struct Removed {
  std::vector<CachedRevision> revisions;
  std::vector<std::filesystem::path> files;  // and folders, as they were removed
  uint64_t size = 0;                         // bytes freed
  std::vector<std::string> kept;             // a sentence for each thing that another process uses
};

// Removes of a model, as it is by then; where `dry_run`, only tells what would be removed. Throws kFailed
// where the disk refuses; kNotFound if the model is gone. Thread-safe.
Removed remove_cached(const CachedModel& model, const Removal& removal, bool dry_run);

}  // namespace swinzoo::zoo
