// Downloading: files that appear whole and checked, or not at all.
//
// Beside a TARGET that is not whole yet stand, under this or another name of the caller's,
//   TARGET.incomplete           its bytes, as long as the file will be, with holes where none came yet
//   TARGET.incomplete.journal   which 64 KiB blocks came, and each one's SHA-256 as it was written
// so that the next run goes on after a kill, a power loss or a dead link: blocks that no longer match their
// digest are fetched again, as is everything if the server's ETag or size is another. Files below 1 MiB have
// no journal and start again.
//
// Thread-safe but for one thing: two calls may not have the same target at once. The caller sees to that,
// with a lock where other processes may want the same.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "zoo/http.h"

namespace swinzoo::zoo {

inline constexpr uint64_t kDigestBlock = 16 * 1024 * 1024;  // bytes that each of block_digests stands for

struct DownloadRequest {
  std::string url;
  HttpAuth auth = {};
  std::filesystem::path target;           // its folder exists
  std::filesystem::path unfinished = {};  // where it stands until then; TARGET.incomplete where empty
  std::string name = {};                  // for messages and progress; the target's file name where empty

  std::optional<uint64_t> size = {};  // bytes, where known; another size of the server's is wrong bytes
  // What the bytes must have: a SHA-256 (64 hex digits), or git's SHA-1 of the blob (40, with `size`) as
  // BlobDigest takes it. Empty: not known, everything that came whole is taken.
  std::string digest = {};
  // SHA-256 of each kDigestBlock bytes, the last one maybe of less. With them only wrong blocks are fetched
  // again. Empty: not known. REQUIRES: as many as `size` has, and a digest.
  std::vector<std::string> block_digests = {};

  // A file with bytes of this one from its start on: another program's unfinished download, or a damaged
  // copy. Taken over (moved) where it is there, not longer than `size`, and nothing of ours is there to
  // resume. REQUIRES: a digest, which shows whether they were right.
  std::filesystem::path earlier = {};

  // Whether wrong bytes are fetched once more from scratch; false where there's another source to try first.
  bool again_if_wrong = true;
};

struct Downloaded {
  uint64_t size = 0;  // bytes
  std::string sha256;
  std::string etag;      // the server's, without quotes; empty where it gave none
  uint64_t fetched = 0;  // bytes of the file that came over the network now
  std::string url;       // that answered, after redirects, fit for messages; empty where no server was asked
};

struct TransferOptions {
  int connections = 8;                                // at once, over all files
  std::function<bool()> cancelled = {};               // asked often; true ends with kInterrupted, resumable
  std::function<void(const std::string&)> note = {};  // told of retries and of wrong bytes
  // Told of the bytes that are there of a file; `total` is 0 while its size is not known. Called by the
  // thread that called download().
  std::function<void(const DownloadRequest& request, uint64_t done, uint64_t total)> progress = {};
  // Given the answer where the server refused (a status other than success): throws what that means.
  // Without it, or where it returns, require_success() does.
  std::function<void(const DownloadRequest& request, const HttpResponse& response)> refused = {};
};

// Makes every target: several files and several ranges of one file at once, the first requests first. A
// target that is there already is replaced. Throws for the first file that failed, once all others have
// stopped, which the next call resumes; those that were whole by then have their target. kNetwork, with the
// URL and what happened; kNotFound; kCorrupt for wrong bytes, nothing of which is kept; kDiskFull, saying how
// much is missing, before the first byte is asked for where sizes are known; kFailed; kInterrupted. Results
// are in the order of the requests.
std::vector<Downloaded> download(std::span<const DownloadRequest> requests, const TransferOptions& options);
Downloaded download(const DownloadRequest& request, const TransferOptions& options);

}  // namespace swinzoo::zoo
