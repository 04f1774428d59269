// The digest of a file while it is downloaded: a thread of its own reads what stands in it without a hole
// from its start on. Blocks that an earlier run's journal names are digested by themselves too, before they
// count.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "formats/sha256.h"
#include "zoo/blob.h"
#include "zoo/partial_file.h"

namespace swinzoo::zoo {

// Made and asked by one thread. `file` outlives it.
class PrefixDigest {
 public:
  // `digest` is the request's, which may be empty; `size` goes with git's SHA-1, which needs it. `wake` is
  // called by the thread when there is something to ask for.
  PrefixDigest(const PartialFile& file, const std::string& digest, uint64_t size,
               std::vector<std::optional<BlockDigest>> claims, std::function<void()> wake);
  ~PrefixDigest();
  PrefixDigest(const PrefixDigest&) = delete;
  PrefixDigest& operator=(const PrefixDigest&) = delete;

  // The next block that does not match its journal, to be fetched again: what lies before it is digested, and
  // the thread waits until publish() is told that it is there. Throws what went wrong in the thread.
  std::optional<uint64_t> take_bad_block();

  // The bytes that stand in the file from its start on, and whether that is all of it. Ignored while a bad
  // block waits to be taken.
  void publish(uint64_t ready, bool is_whole);

  uint64_t digested() const;  // bytes

  // REQUIRES: digested() is the file's size; called once, last.
  struct Result {
    std::string sha256;
    std::string digest;  // of the same kind as the request's
  };
  Result result();

 private:
  void run();
  bool step(std::unique_lock<std::mutex>& lock, std::vector<std::byte>& buffer);

  const PartialFile& file_;
  std::vector<std::optional<BlockDigest>> claims_;  // the thread's own, as are the digests until result()
  Sha256 sha256_;
  std::optional<BlobDigest> git_sha1_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t ready_ = 0;
  bool is_whole_ = false;
  uint64_t digested_ = 0;
  std::optional<uint64_t> bad_block_;
  std::exception_ptr error_ = nullptr;
  bool stop_ = false;
  std::jthread thread_;
};

}  // namespace swinzoo::zoo
