// A file that appears whole or not at all: written beside its target and renamed.
//
// A target that is a link is followed: what it points at is replaced, and the link stays. A file that is
// there keeps its permissions. A target that is there and no regular file, as a device or a pipe is, can't be
// replaced without destroying it, so it is opened and written as things come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace swinzoo {

// Not thread-safe. If commit() is never reached (an exception, say), the target is left as it was and nothing
// stays behind but what a kill leaves: TARGET.<pid>.tmp.
class AtomicFile {
 public:
  // Creates the file's folder where it is missing. Throws on a folder that can't be written, and where the
  // target is a folder. Opening a pipe waits for its reader.
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Throws kDiskFull where no space is left.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  // Overwrites bytes already written, for a header whose digests are known only at the end. REQUIRES: the
  // target is not is_special_file().
  void write_at(uint64_t offset, std::string_view text);
  // Takes disk space for that many bytes after those written, and maps it: to be filled in any order until
  // commit(). Throws kDiskFull where no space is left. REQUIRES: called once, nothing is written after it;
  // the target is not is_special_file().
  std::span<std::byte> map_more(uint64_t bytes);

  // Where it stands until then. What was written can be read there, unless the target is is_special_file().
  const std::filesystem::path& temporary() const { return temporary_; }

  // Renames to the target, replacing what was there. kSynced: after the bytes have reached the disk, so that
  // the file is whole even where the power fails right after; a file that can be made again need not wait for
  // that. REQUIRES: called once, last.
  enum class Sync { kSynced, kLater };
  void commit(Sync sync = Sync::kSynced);

 private:
  std::filesystem::path target_;  // links followed
  std::filesystem::path temporary_;
  bool is_special_ = false;  // temporary_ is the target itself then
  int fd_ = -1;
  std::span<std::byte> map_;  // of the whole file
};

// Whether something is there, through links too, that is neither a regular file nor a folder: a device, a
// pipe. AtomicFile writes it as things come.
bool is_special_file(const std::filesystem::path& path);

// Writes a whole small file so.
void write_file(const std::filesystem::path& target, std::string_view text);

}  // namespace swinzoo
