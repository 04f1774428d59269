// A file of the hub while it is downloaded, and the digest that names it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "zoo/http.h"

struct evp_md_ctx_st;

namespace swinzoo::zoo {

// The digest that the hub names a file's bytes by (its ETag): 64 hex digits are their SHA-256 (files in LFS),
// 40 are git's SHA-1 of "blob SIZE\0" and the bytes (all others). Not thread-safe.
class BlobDigest {
 public:
  // REQUIRES: is_blob_name(name).
  BlobDigest(const std::string& name, uint64_t size);
  void restart();
  void update(std::span<const std::byte> bytes);
  bool matches() const;     // all updates so far, against the name
  std::string hex() const;  // of all updates so far

  static bool is_blob_name(const std::string& name);  // 40 or 64 lower-case hex digits

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::string name_;
  uint64_t size_;
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// Whether the file is there and is what its name says. Throws kFailed on a read error.
bool blob_is_good(const std::filesystem::path& path, const std::string& name, uint64_t size,
                  const std::function<bool()>& cancelled);

// The unfinished download of one blob: what an earlier run left is kept and digested, and the rest is
// appended. A kill leaves the file as it is, to be resumed. Not thread-safe; the caller holds the blob's
// lock.
class IncompleteBlob : public HttpSink {
 public:
  // Throws kDiskFull, kFailed; kInterrupted while digesting.
  IncompleteBlob(std::filesystem::path path, const std::string& name, uint64_t size,
                 const std::function<bool()>& cancelled, std::function<void(uint64_t done)> progress);
  ~IncompleteBlob() override;
  IncompleteBlob(const IncompleteBlob&) = delete;
  IncompleteBlob& operator=(const IncompleteBlob&) = delete;

  uint64_t size() const override { return done_; }
  void restart() override;
  void append(
      std::span<const std::byte> bytes) override;  // throws kCorrupt past the expected size, kDiskFull

  bool complete() const { return done_ == size_ && digest_.matches(); }
  std::string digest() const { return digest_.hex(); }

  // Syncs and renames. REQUIRES: complete(), called once, last.
  void commit(const std::filesystem::path& target);
  // Removes the file. REQUIRES: called once, last.
  void discard();

 private:
  std::filesystem::path path_;
  uint64_t size_;
  BlobDigest digest_;
  std::function<void(uint64_t)> progress_;
  uint64_t done_ = 0;
  int fd_ = -1;
};

}  // namespace swinzoo::zoo
