// Fetching a model that is one file, or an archive of one: TF-Hub, Kaggle and plain URLs, into our own cache.
#pragma once

#include "zoo/hub.h"
#include "zoo/source.h"

namespace swinzoo::zoo {

// What is known of the file before it comes.
struct ExpectedFile {
  std::string sha256 = {};   // 64 hex digits; empty = not known
  std::string told_by = {};  // whose digest it is, for messages
  std::optional<uint64_t> size = {};
  std::vector<std::string> block_digests = {};  // as DownloadRequest has them
};

// Makes the model present, and unpacked where it comes as an archive. What is there already costs no request;
// its bytes are read and their digests checked. The SHA-256 must be `expected`'s, or else the one that was
// recorded when the source was first fetched. `again_if_wrong` as DownloadRequest has it.
//
// The result names files below its folder (own_cache.h), the downloaded one first. Throws kNotFound (no such
// model; offline: not in the cache), kNetwork, kCorrupt (wrong digests, damaged or hostile archives, an
// answer that is no checkpoint: nothing of it is kept), kDiskFull, kFailed, kInterrupted. One call at a time
// a thread. REQUIRES: source.is_file().
Fetched fetch_file(const Source& source, const ExpectedFile& expected, bool again_if_wrong,
                   const FetchOptions& options, const FetchProgress& progress);

}  // namespace swinzoo::zoo
