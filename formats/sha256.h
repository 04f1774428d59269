// SHA-256 (OpenSSL's).
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace swinzoo {

// A running digest. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  // The digest of all updates as 64 lower-case hex digits. REQUIRES: called once, last.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256_hex(std::span<const std::byte> bytes);

// Reads the file in pieces, so that memory stays small. Throws kNotFound, or kFailed on a read error.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace swinzoo
