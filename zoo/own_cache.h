// swinzoo's own cache: what was fetched from anywhere but the Hugging Face hub, which has hf_cache.h.
//
//   ROOT/CACHEDIR.TAG
//   ROOT/sources/KEY/record.json   what it is; written last: what has none is not present
//   ROOT/sources/KEY/FILE          as it was downloaded; unfinished: FILE.incomplete
//   ROOT/sources/KEY/unpacked/     what FILE holds, where it is an archive
//   ROOT/locks/KEY.lock            held (file_lock.h) while the folder is written; never removed
//
// ROOT is user_cache_root()/swinzoo. A KEY is a name for people and the first 16 hex digits of the SHA-256 of
// the source: "tfhub--sayakpaul--swin_tiny_patch4_window7_224--1-0f3a5c7e9b1d2468". The root and the folders
// are whatever the environment says when an entry is made.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace swinzoo::zoo {

struct OwnFile {
  std::string name;    // below the entry's folder, with slashes
  uint64_t size = 0;   // bytes
  std::string sha256;  // at first sight
};

// What record.json says.
struct OwnRecord {
  std::string source;             // as zoo::Source::text (source.h) has it, without query and password
  std::string url;                // that answered, likewise; empty where it is not known
  std::string etag;               // of that answer; may be empty
  std::string fetched;            // UTC: 2026-11-21T16:50:00Z
  OwnFile file;                   // as downloaded
  std::vector<OwnFile> unpacked;  // unpacked/...; empty where the file is no archive
};

// One source's place in the cache. Immutable; touches files only where a function says so.
class OwnCacheEntry {
 public:
  // `source` is zoo::Source::text.
  explicit OwnCacheEntry(const std::string& source);

  // Every folder of the cache, by name, those of unfinished downloads too.
  static std::vector<OwnCacheEntry> all();

  const std::string& key() const { return key_; }
  std::filesystem::path folder() const;
  std::filesystem::path unpacked() const { return folder() / "unpacked"; }
  std::filesystem::path lock_file() const;

  // Nothing where there is none, or it can't be read.
  std::optional<OwnRecord> read_record() const;
  // Makes the folder, and the cache with its CACHEDIR.TAG. Throws kDiskFull, kFailed.
  void write_record(const OwnRecord& record) const;

  // The record, if every file that it names is there with its size. No digest is checked.
  std::optional<OwnRecord> find() const;
  // The names of `files` whose bytes are missing or not the recorded ones: they are read. Throws
  // kInterrupted.
  std::vector<std::string> damaged(const std::vector<OwnFile>& files,
                                   const std::function<bool()>& cancelled) const;

  // Removes the folder. The caller holds the lock. Throws kFailed.
  void remove() const;

 private:
  OwnCacheEntry() = default;
  std::string key_;
};

// user_cache_root()/swinzoo.
std::filesystem::path own_cache_root();

// The cache's root with its CACHEDIR.TAG, made where it is missing. Throws kDiskFull, kFailed.
void make_own_cache();

}  // namespace swinzoo::zoo
