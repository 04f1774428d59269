// Reading what a cache holds, and checking its digests.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "zoo/cached_model.h"

namespace swinzoo::zoo {

struct WrongFile {
  std::string commit;  // its revision
  std::string name;
  std::filesystem::path path;  // of the bytes
  std::string problem;         // "expected the digest ..., got ...", "is missing"
};

struct VerifiedModel {
  uint64_t files = 0;  // whose bytes were read
  uint64_t size = 0;   // bytes of these, each blob once
  std::vector<WrongFile> wrong;
  std::vector<std::string> unknown;  // files whose digest nobody told: by path
};

struct VerifyHooks {
  std::function<bool()> cancelled;                // asked often; true ends with kInterrupted
  std::function<void(uint64_t bytes)> more_read;  // told of every piece
};

// Every file of every revision; bytes that several share are read once. Throws kInterrupted. Thread-safe.
VerifiedModel verify_cached(const CachedModel& model, const VerifyHooks& hooks);

}  // namespace swinzoo::zoo
