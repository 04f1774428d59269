
#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <tuple>

#include "formats/error.h"
#include "zoo/blob.h"
#include "zoo/cache_files.h"
#include "zoo/cache_scan.h"
#include "zoo/hf_cache.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModels = "models--";

// What atomic_file.h leaves behind when the process is killed: TARGET.<pid>.tmp.
bool is_temporary(const std::string& name) {
  static const std::regex kTemporary(".*\\.[0-9]+\\.tmp");
  return std::regex_match(name, kTemporary);
}

// blobs/ETAG.incomplete, and what stands beside it for resuming: ETAG.incomplete.*.
bool is_unfinished(const std::string& name) { return name.find(".incomplete") != std::string::npos; }

class Scan {
 public:
  explicit Scan(const fs::path& folder) { model_.folder = fs::absolute(folder).lexically_normal(); }

  CachedModel run() {
    std::string repo = model_.folder.filename().string().substr(kModels.size());
    if (const size_t dashes = repo.find("--"); dashes != std::string::npos) repo.replace(dashes, 2, "/");
    model_.source = "hf:" + repo;
    read_refs();
    read_snapshots();
    read_blobs();
    for_each_file(model_.folder / "trees", false, [&](const fs::path& path, const std::string& name) {
      const bool is_needed = std::any_of(model_.revisions.begin(), model_.revisions.end(),
                                         [&](const auto& r) { return name == r.commit + ".json"; });
      if (!is_needed) add_loose(model_.leftovers, path);
    });
    sum_up(blobs_, model_);
    return std::move(model_);
  }

 private:
  void read_refs() {
    for_each_file(model_.folder / "refs", true, [&](const fs::path& path, const std::string& name) {
      if (is_temporary(name)) return add_loose(model_.leftovers, path);
      std::string commit;
      std::ifstream(path) >> commit;
      std::error_code error;
      if (fs::is_directory(model_.folder / "snapshots" / commit, error) && !commit.empty()) {
        refs_[commit].push_back(name);
      } else {
        model_.problems.push_back(fmt::format("{} stands for a revision that is not there", name));
        add_loose(model_.leftovers, path);
      }
    });
  }

  void read_snapshots() {
    const fs::path snapshots = model_.folder / "snapshots";
    std::error_code error;
    for (fs::directory_iterator it(snapshots, error), end; !error && it != end; it.increment(error)) {
      std::error_code ignored;
      if (it->is_directory(ignored)) read_snapshot(it->path());
    }
    // Taken for empty, all blobs would seem to be of no use.
    if (error && error != std::errc::no_such_file_or_directory) {
      fail(ErrorCode::kFailed, "{}: can't be read: {}", snapshots.string(), error.message());
    }
    std::sort(model_.revisions.begin(), model_.revisions.end(), [](const auto& a, const auto& b) {
      return std::tie(a.modified, a.commit) < std::tie(b.modified, b.commit);
    });
  }

  void read_snapshot(const fs::path& folder) {
    CachedRevision revision;
    revision.commit = folder.filename().string();
    revision.folder = folder;
    if (const auto names = refs_.find(revision.commit); names != refs_.end()) revision.refs = names->second;
    std::map<std::string, std::string> listed;
    const HfRepoCache cache(folder.parent_path().parent_path().parent_path(), model_.source.substr(3));
    for (const RemoteFile& file : cache.read_tree(revision.commit).value_or(std::vector<RemoteFile>())) {
      listed[file.path] = file.etag();
    }
    std::set<fs::path> counted;
    for_each_file(folder, true, [&](const fs::path& path, const std::string& name) {
      CachedFile file;
      file.name = name;
      std::error_code error;
      const fs::path target = fs::read_symlink(path, error);
      file.blob = error ? path : (path.parent_path() / target).lexically_normal();
      const std::string blob_name = file.blob.filename().string();
      if (const auto found = listed.find(name); found != listed.end()) {
        file.digest = found->second;
      } else if (BlobDigest::is_blob_name(blob_name)) {
        file.digest = blob_name;
      }
      const auto times = times_of(file.blob);
      file.missing = !times;
      if (times) {
        file.size = times->size;
        revision.modified = std::max(revision.modified, times->modified);
        if (counted.insert(file.blob).second) revision.size += file.size;
        blobs_[file.blob] = *times;
        needed_.insert(times->inode);
      } else {
        model_.problems.push_back(fmt::format("{}/{}: its bytes are missing", revision.commit, name));
      }
      revision.files.push_back(std::move(file));
    });
    if (revision.modified == 0) revision.modified = folder_modified(folder);
    model_.revisions.push_back(std::move(revision));
  }

  void read_blobs() {
    for_each_file(model_.folder / "blobs", false, [&](const fs::path& path, const std::string& name) {
      const auto times = times_of(path);
      if (is_unfinished(name)) {
        add_loose(model_.unfinished, path);
      } else if (times && !needed_.contains(times->inode)) {
        add_loose(model_.leftovers, path);
      }
    });
  }

  CachedModel model_;
  std::map<std::string, std::vector<std::string>> refs_;  // by commit
  std::map<fs::path, FileTimes> blobs_;                   // that the revisions need
  std::set<Inode> needed_;                                // the same, whatever path leads to them
};

}  // namespace

CachedModel scan_hf_repo(const fs::path& folder) { return Scan(folder).run(); }

std::vector<CachedModel> scan_hf_cache(const fs::path& root) {
  std::vector<CachedModel> models;
  std::error_code error;
  fs::directory_iterator it(root, error);
  if (error == std::errc::no_such_file_or_directory) return models;
  for (const fs::directory_iterator end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const std::string name = it->path().filename().string();
    if (name.starts_with(kModels) && it->is_directory(ignored)) models.push_back(scan_hf_repo(it->path()));
  }
  if (error) fail(ErrorCode::kFailed, "{}: can't be read: {}", root.string(), error.message());
  std::sort(models.begin(), models.end(), [](const auto& a, const auto& b) { return a.source < b.source; });
  return models;
}

}  // namespace swinzoo::zoo
