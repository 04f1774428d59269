#include "zoo/hf_cache.h"

#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <fstream>
#include <list>
#include <map>
#include <sstream>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/json.h"
#include "zoo/blob.h"
#include "zoo/file_lock.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

// huggingface_hub's own text (_local_folder.py), whichever of both makes the cache.
constexpr const char* kCacheTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file is a cache directory tag created by huggingface_hub.\n"
    "# For information about cache directory tags, see:\n"
    "#\thttps://bford.info/cachedir/\n";

constexpr int64_t kTreeFormatVersion = 1;

// Relative, and no part of it "..", "." or empty: under any folder it stays there.
bool is_safe_path(const std::string& path) {
  std::istringstream parts(path + "/");
  for (std::string part; std::getline(parts, part, '/');) {
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string::npos) return false;
  }
  return true;
}

void check_names(const RemoteFile& file) {
  if (!is_safe_path(file.path))
    fail(ErrorCode::kCorrupt, "the hub lists a file with the name '{}'", file.path);
  if (!BlobDigest::is_blob_name(file.etag())) {
    fail(ErrorCode::kCorrupt, "{}: the hub gives '{}' as its digest, expected 40 or 64 hex digits", file.path,
         file.etag());
  }
}

void link_to_blob(const fs::path& pointer, const fs::path& blob) {
  const fs::path target = blob.lexically_relative(pointer.parent_path());
  std::error_code error;
  if (fs::read_symlink(pointer, error) == target && !error) return;
  fs::remove(pointer, error);
  if (::symlink(target.c_str(), pointer.c_str()) != 0 && errno != EEXIST) {
    fail_errno("can't be created", pointer.string());
  }
}

}  // namespace

HfRepoCache::HfRepoCache(const fs::path& root, const std::string& repo)
    : root_(root), name_("models--" + repo) {
  if (const size_t slash = name_.find('/'); slash != std::string::npos) name_.replace(slash, 1, "--");
  folder_ = root_ / name_;
}

bool HfRepoCache::is_commit(const std::string& revision) {
  return revision.size() == 40 && BlobDigest::is_blob_name(revision);
}

std::optional<std::string> HfRepoCache::commit_of(const std::string& revision) const {
  if (is_commit(revision)) return revision;
  if (!is_safe_path(revision)) return std::nullopt;
  std::ifstream file(folder_ / "refs" / revision);
  std::string commit;
  if (!std::getline(file, commit) || !is_commit(commit)) return std::nullopt;
  return commit;
}

void HfRepoCache::write_ref(const std::string& revision, const std::string& commit) const {
  if (!is_safe_path(revision)) fail(ErrorCode::kUsage, "'{}' is no revision", revision);
  if (commit_of(revision) != commit) write_file(folder_ / "refs" / revision, commit);
}

std::optional<std::vector<RemoteFile>> HfRepoCache::read_tree(const std::string& commit) const {
  const fs::path path = folder_ / "trees" / (commit + ".json");
  const std::string where = path.string();
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  try {
    const json::value document = read_json(path);
    const json::object& tree = as_object(document, where);
    const json::value* listed = find_member(tree, "files");
    if (find_int(tree, "format_version", where) != kTreeFormatVersion || listed == nullptr)
      return std::nullopt;
    std::vector<RemoteFile> files;
    for (const auto& [name, value] : as_object(*listed, where)) {
      const json::object& entry = as_object(value, where);
      RemoteFile file;
      file.path = name;
      file.size = static_cast<uint64_t>(find_int(entry, "size", where).value_or(-1));
      file.blob_id = find_string(entry, "blob_id", where).value_or("");
      file.lfs_sha256 = find_string(entry, "lfs_sha256", where).value_or("");
      file.xet_hash = find_string(entry, "xet_hash", where).value_or("");
      if (static_cast<int64_t>(file.size) < 0) return std::nullopt;
      files.push_back(std::move(file));
    }
    return files;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void HfRepoCache::write_tree(const std::string& commit, const std::vector<RemoteFile>& files) const {
  std::vector<RemoteFile> sorted = files;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  std::string text = fmt::format("{{\n \"format_version\": {},\n \"files\": {{", kTreeFormatVersion);
  const char* separator = "\n";
  for (const RemoteFile& file : sorted) {  // as Python's json.dump(indent=1) has it
    text += fmt::format("{}  {}: {{\n   \"size\": {},\n   \"blob_id\": {}", separator,
                        json::serialize(json::string(file.path)), file.size,
                        json::serialize(json::string(file.blob_id)));
    if (!file.lfs_sha256.empty()) {
      text += fmt::format(",\n   \"lfs_sha256\": \"{}\",\n   \"lfs_size\": {}", file.lfs_sha256, file.size);
    }
    if (!file.xet_hash.empty()) {
      text += fmt::format(",\n   \"xet_hash\": {}", json::serialize(json::string(file.xet_hash)));
    }
    text += "\n  }";
    separator = ",\n";
  }
  text += sorted.empty() ? "}\n}" : "\n }\n}";
  try {
    write_file(folder_ / "trees" / (commit + ".json"), text);
  } catch (const Error&) {
  }
}

bool HfRepoCache::holds(const std::string& commit, const RemoteFile& file,
                        const std::function<bool()>& cancelled) const {
  check_names(file);
  return blob_is_good(snapshot(commit) / file.path, file.etag(), file.size, cancelled);
}

DownloadRequest HfRepoCache::request_for(const RemoteFile& file) const {
  const fs::path blob = folder_ / "blobs" / file.etag();
  DownloadRequest request;
  request.target = blob;
  // Not huggingface_hub's own name: it takes that file's bytes for the first ones, without a hole.
  request.unfinished = blob.string() + ".swinzoo.incomplete";
  request.earlier = blob.string() + ".incomplete";
  request.name = file.path;
  request.size = file.size;
  request.digest = file.etag();
  request.block_digests = file.block_digests;
  std::error_code error;
  if (!file.block_digests.empty() && fs::exists(blob, error))
    request.earlier = blob;  // most of it may be right
  return request;
}

std::vector<bool> HfRepoCache::store(const std::string& commit, std::span<const RemoteFile> files,
                                     const Fetch& fetch, const StoreHooks& hooks) const {
  for (const RemoteFile& file : files) check_names(file);
  std::vector<size_t> unsure;                      // indices of files that are not there, or damaged
  std::map<std::string, const RemoteFile*> blobs;  // by name: every process locks them in this order
  for (size_t i = 0; i < files.size(); ++i) {
    if (holds(commit, files[i], hooks.cancelled)) continue;
    unsure.push_back(i);
    blobs[files[i].etag()] = &files[i];
  }
  std::vector<bool> downloaded(files.size(), false);
  if (unsure.empty()) return downloaded;

  make_folder(folder_ / "blobs");
  std::error_code error;
  if (!fs::exists(root_ / "CACHEDIR.TAG", error)) write_file(root_ / "CACHEDIR.TAG", kCacheTag);
  std::list<FileLock> locks;
  for (const auto& [etag, file] : blobs) {
    locks.emplace_back(root_ / ".locks" / name_ / (etag + ".lock"), file->path,
                       FileLock::Hooks{hooks.cancelled, hooks.note});
  }
  std::vector<DownloadRequest> missing;
  for (const size_t i : unsure) {
    const std::string& etag = files[i].etag();
    if (blobs.at(etag) != &files[i]) continue;  // the same bytes under another name
    if (blob_is_good(folder_ / "blobs" / etag, etag, files[i].size, hooks.cancelled)) continue;
    missing.push_back(request_for(files[i]));
    downloaded[i] = true;
  }
  if (!missing.empty()) fetch(std::move(missing));
  for (const size_t i : unsure) {
    const fs::path pointer = snapshot(commit) / files[i].path;
    make_folder(pointer.parent_path());
    link_to_blob(pointer, folder_ / "blobs" / files[i].etag());
  }
  return downloaded;
}

}  // namespace swinzoo::zoo
