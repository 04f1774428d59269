// What scanning both caches has in common.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "zoo/cached_model.h"

namespace swinzoo::zoo {

using Inode = std::pair<uint64_t, uint64_t>;  // of a device

struct FileTimes {
  uint64_t size = 0;               // bytes
  uint64_t on_disk = 0;            // of these; less where there are holes
  int64_t used = 0, modified = 0;  // seconds since 1970
  Inode inode;
};

// Of what a link leads to; nothing if that is no regular file.
std::optional<FileTimes> times_of(const std::filesystem::path& path);

// When the folder was last changed; 0 where there is none.
int64_t folder_modified(const std::filesystem::path& folder);

// Calls visit(path, name) for everything in `folder` but folders, by path; those inside it too where `deep`.
// The name is relative to `folder`. What is no folder, or vanishes meanwhile, is empty. Throws kFailed.
void for_each_file(
    const std::filesystem::path& folder, bool deep,
    const std::function<void(const std::filesystem::path& path, const std::string& name)>& visit);

// Adds a loose file, if it's there.
void add_loose(std::vector<LooseFile>& files, const std::filesystem::path& path);

// Fills in size, used and modified, from the blobs that the revisions need and from the loose files.
void sum_up(const std::map<std::filesystem::path, FileTimes>& blobs, CachedModel& model);

}  // namespace swinzoo::zoo
