// Hugging Face's cache of one repository, laid out as huggingface_hub 2.4 does
// (src/huggingface_hub/file_download.py, _tree_cache.py), so that what one of both fetched, the other finds:
//
//   ROOT/CACHEDIR.TAG
//   ROOT/models--OWNER--REPO/blobs/ETAG                  the bytes
//   ROOT/models--OWNER--REPO/blobs/ETAG.incomplete       huggingface_hub's unfinished download: the first
//   bytes ROOT/models--OWNER--REPO/blobs/ETAG.swinzoo.incomplete  ours, with holes, and its journal
//   (download.h) ROOT/models--OWNER--REPO/snapshots/COMMIT/FILE       -> ../../blobs/ETAG
//   ROOT/models--OWNER--REPO/refs/REVISION               the commit's 40 hex digits, no newline
//   ROOT/models--OWNER--REPO/trees/COMMIT.json           what files the commit has
//   ROOT/.locks/models--OWNER--REPO/ETAG.lock            held with flock(2) while ETAG is written, and never
//   removed
//
// Several threads and processes may use one cache at once; an HfRepoCache itself is immutable. Nothing stands
// under blobs/ETAG or in a snapshot before it is whole and its digest was checked, and a ref is written last.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "zoo/download.h"

namespace swinzoo::zoo {

// A file of a commit, as the hub's tree lists it.
struct RemoteFile {
  std::string path;                             // in the repository, with slashes
  uint64_t size = 0;                            // bytes
  std::string blob_id;                          // git's; of the pointer where the file is in LFS
  std::string lfs_sha256;                       // empty where the file is not in LFS
  std::string xet_hash;                         // only kept for huggingface_hub; empty where there is none
  std::vector<std::string> block_digests = {};  // DownloadRequest's, from a lock file

  // What its blob is called, and its digest.
  const std::string& etag() const { return lfs_sha256.empty() ? blob_id : lfs_sha256; }
};

struct StoreHooks {
  std::function<bool()> cancelled;               // asked often; true ends with kInterrupted
  std::function<void(const std::string&)> note;  // told of a wait for another process
};

class HfRepoCache {
 public:
  // REQUIRES: `repo` is OWNER/REPO as parse_hub_ref() lets it through, or the name of an old repository that
  // has no owner. Touches no file.
  HfRepoCache(const std::filesystem::path& root, const std::string& repo);

  static bool is_commit(const std::string& revision);  // 40 lower-case hex digits

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path snapshot(const std::string& commit) const { return folder_ / "snapshots" / commit; }

  // The commit that a branch or tag stood for when it was last fetched; of a commit, itself.
  std::optional<std::string> commit_of(const std::string& revision) const;
  void write_ref(const std::string& revision, const std::string& commit) const;

  // The files of a commit; nothing if they were never listed, or the list can't be read.
  std::optional<std::vector<RemoteFile>> read_tree(const std::string& commit) const;
  // A cache that can't be written is no error: the list is only there to save a request.
  void write_tree(const std::string& commit, const std::vector<RemoteFile>& files) const;

  // Makes sure that the snapshot holds `files`, whole and right; returns of each whether it was downloaded
  // now. `fetch` is given what is missing, named by the files' paths and without URLs, and makes it, as
  // download() does. Throws what `fetch` throws, kDiskFull, kFailed; kCorrupt for a name that would lead out
  // of the snapshot.
  using Fetch = std::function<void(std::vector<DownloadRequest>)>;
  std::vector<bool> store(const std::string& commit, std::span<const RemoteFile> files, const Fetch& fetch,
                          const StoreHooks& hooks) const;

  // Whether the snapshot holds `file`, whole and right: its bytes are read.
  bool holds(const std::string& commit, const RemoteFile& file, const std::function<bool()>& cancelled) const;

 private:
  DownloadRequest request_for(const RemoteFile& file) const;

  std::filesystem::path root_;
  std::string name_;  // models--OWNER--REPO
  std::filesystem::path folder_;
};

}  // namespace swinzoo::zoo
