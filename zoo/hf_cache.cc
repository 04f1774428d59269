#include "zoo/hf_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/json.h"
#include "zoo/blob.h"

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

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return;
  errno = error.value();
  fail_errno("can't be created", folder.string());
}

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

// The lock that huggingface_hub takes too: flock(2), through the filelock package.
class BlobLock {
 public:
  BlobLock(const fs::path& path, const std::string& what, const StoreHooks& hooks) {
    make_folder(path.parent_path());
    constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    fd_ = ::open(path.c_str(), kFlags | O_CREAT | O_EXCL, 0664);
    if (fd_ >= 0) ::fchmod(fd_, 0664);  // whatever the umask: a group may share the cache
    if (fd_ < 0 && errno == EEXIST) fd_ = ::open(path.c_str(), kFlags);
    if (fd_ < 0) fail_errno("can't be opened", path.string());
    bool told = false;
    while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) {
        const int number = errno;
        ::close(fd_);
        errno = number;
        fail_errno("can't be locked", path.string());
      }
      if (!told && hooks.note) hooks.note(fmt::format("{}: another process is fetching it; waiting", what));
      told = true;
      if (hooks.cancelled && hooks.cancelled()) {
        ::close(fd_);
        fail(ErrorCode::kInterrupted, "interrupted");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  ~BlobLock() { ::close(fd_); }
  BlobLock(const BlobLock&) = delete;
  BlobLock& operator=(const BlobLock&) = delete;

 private:
  int fd_ = -1;
};

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
  name_.replace(name_.find('/'), 1, "--");
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

bool HfRepoCache::store(const std::string& commit, const RemoteFile& file,
                        const std::function<void(HttpSink&)>& fill, const StoreHooks& hooks) const {
  if (holds(commit, file, hooks.cancelled)) return false;
  const fs::path pointer = snapshot(commit) / file.path;
  const fs::path blob = folder_ / "blobs" / file.etag();
  make_folder(blob.parent_path());
  std::error_code error;
  if (!fs::exists(root_ / "CACHEDIR.TAG", error)) write_file(root_ / "CACHEDIR.TAG", kCacheTag);

  const BlobLock lock(root_ / ".locks" / name_ / (file.etag() + ".lock"), file.path, hooks);
  const bool is_there = blob_is_good(blob, file.etag(), file.size, hooks.cancelled);
  if (!is_there) download(file, fill, hooks);
  make_folder(pointer.parent_path());
  link_to_blob(pointer, blob);
  return !is_there;
}

void HfRepoCache::download(const RemoteFile& file, const std::function<void(HttpSink&)>& fill,
                           const StoreHooks& hooks) const {
  const fs::path blob = folder_ / "blobs" / file.etag();
  IncompleteBlob incomplete(blob.string() + ".incomplete", file.etag(), file.size, hooks.cancelled,
                            hooks.progress);
  for (bool from_scratch = false;; from_scratch = true) {
    std::string problem;
    try {
      // An answer without a length may end early and look whole: go on from there.
      for (uint64_t before = UINT64_MAX; incomplete.size() < file.size && incomplete.size() != before;) {
        before = incomplete.size();
        fill(incomplete);
      }
      if (incomplete.complete()) break;
      problem = fmt::format("expected {} bytes with the digest {}, got {} with {}", file.size, file.etag(),
                            incomplete.size(), incomplete.digest());
    } catch (const Error& caught) {
      if (caught.code() != ErrorCode::kCorrupt) throw;
      problem = caught.what();
    }
    if (from_scratch) {
      incomplete.discard();
      fail(ErrorCode::kCorrupt, "{}: {}, and the same again when fetched from scratch; nothing was kept",
           file.path, problem);
    }
    if (hooks.note) hooks.note(fmt::format("{}: {}; fetching it once more from scratch", file.path, problem));
    incomplete.restart();
  }
  incomplete.commit(blob);
}

}  // namespace swinzoo::zoo
