// The digest that names a file of the hub.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

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

}  // namespace swinzoo::zoo
