// A folder that several processes use and that one may remove from: flock(2) on the folder itself, so that
// nothing more stands in a cache that another program reads too.
//
// A lock ends with its object, or its process. Where the disk can't lock folders (NFS), locks do nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "zoo/file_lock.h"

namespace swinzoo::zoo {

// Not thread-safe; it moves.
class FolderLock {
 public:
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

  // Keeps the folder, which is made where it is missing, from being removed: any number of processes use it
  // at once. Waits, with a note, while another removes from it. Throws kInterrupted, and as make_folder().
  static FolderLock use(const std::filesystem::path& folder, const FileLock::Hooks& hooks);

  // The folder for this process alone, to remove from it. Nothing if another uses it. Throws kNotFound.
  static std::optional<FolderLock> try_own(const std::filesystem::path& folder);

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace swinzoo::zoo
