// What a cache holds of one model: the same form for Hugging Face's cache and for our own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace swinzoo::zoo {

// A file of a revision.
struct CachedFile {
  std::string name;            // in the revision's folder, with slashes
  std::filesystem::path blob;  // where its bytes lie: behind the link, else the file itself
  std::string digest;    // that its bytes should have, as BlobDigest takes it; empty where nothing tells
  uint64_t size = 0;     // bytes
  bool missing = false;  // there are no bytes
};

// A revision of a repository. A model in our own cache has one, without commit and refs.
struct CachedRevision {
  std::string commit;
  std::vector<std::string> refs;  // branches and tags that stand for it
  std::filesystem::path folder;
  std::vector<CachedFile> files;  // by name
  uint64_t size = 0;              // bytes on disk, each blob once
  int64_t modified = 0;           // seconds since 1970
};

// A file that belongs to no revision.
struct LooseFile {
  std::filesystem::path path;
  uint64_t size = 0;  // bytes on disk: unfinished downloads have holes
  int64_t modified = 0;
};

struct CachedModel {
  std::string source;                     // as fetch takes it: hf:OWNER/REPO, tfhub:..., a URL
  std::filesystem::path folder;           // all of it
  std::vector<CachedRevision> revisions;  // the oldest first
  std::vector<LooseFile> unfinished;      // downloads that were interrupted, or are going on
  std::vector<LooseFile> leftovers;       // what no revision needs: blobs, lists, refs, temporary files
  std::vector<std::string> problems;      // a sentence each: links without a blob, refs without a revision
  uint64_t size = 0;                      // bytes on disk of all these, each blob once
  int64_t used = 0;                       // when bytes were last read, as far as the disk notes it
  int64_t modified = 0;
};

}  // namespace swinzoo::zoo
