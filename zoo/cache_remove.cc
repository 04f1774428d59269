#include "zoo/cache_remove.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>

#include "formats/error.h"
#include "zoo/cache_scan.h"
#include "zoo/file_lock.h"
#include "zoo/folder_lock.h"
#include "zoo/hub.h"
#include "zoo/own_cache.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

// The lock, or nothing if another process holds it.
std::unique_ptr<FileLock> try_lock(const fs::path& path) {
  try {
    return std::make_unique<FileLock>(path, path.string(), FileLock::Hooks{[] { return true; }, {}});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInterrupted) throw;
    return nullptr;
  }
}

// Removes a file, or a folder with all that is in it; false if there is no such thing.
bool remove_path(const fs::path& path, bool dry_run, Removed& removed) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return false;
  if (!dry_run && fs::remove_all(path, error) == static_cast<std::uintmax_t>(-1)) {
    errno = error.value();
    fail_errno("can't be removed", path.string());
  }
  removed.files.push_back(path);
  return true;
}

// In Hugging Face's cache.
class Remover {
 public:
  Remover(const fs::path& folder, bool dry_run)
      : dry_run_(dry_run),
        model_(scan_hf_repo(folder)),
        folder_(model_.folder),
        locks_(folder_.parent_path() / ".locks" / folder_.filename()) {}

  Removed run(const Removal& removal) {
    std::set<fs::path> blobs;  // that go
    std::set<fs::path> needed;
    for (const CachedRevision& revision : model_.revisions) {
      const bool goes = removal.revisions(revision);
      if (goes) result_.revisions.push_back(revision);
      for (const CachedFile& file : revision.files) (goes ? blobs : needed).insert(file.blob);
    }
    for (const CachedRevision& revision : result_.revisions) remove_revision(revision);
    for (const CachedFile& file : files_of_removed()) {
      if (blobs.erase(file.blob) == 0 || needed.contains(file.blob)) continue;
      if (file.blob.parent_path() == folder_ / "blobs") {
        remove_blob(file.blob, file.size);
      } else if (file.blob.string().starts_with((folder_ / "snapshots").string())) {
        result_.size += file.size;  // no link: it went with its revision
      }
    }
    for (const auto* files : {&model_.unfinished, &model_.leftovers}) {
      for (const LooseFile& file : *files) {
        if (file.modified < removal.loose_before) remove_blob(file.path, file.size);
      }
    }
    if (!dry_run_ && result_.revisions.size() == model_.revisions.size()) remove_empty();
    return std::move(result_);
  }

 private:
  std::vector<CachedFile> files_of_removed() const {
    std::vector<CachedFile> files;
    for (const CachedRevision& revision : result_.revisions) {
      files.insert(files.end(), revision.files.begin(), revision.files.end());
    }
    return files;
  }

  void remove_revision(const CachedRevision& revision) {
    for (const std::string& ref : revision.refs) remove(folder_ / "refs" / ref);
    remove(revision.folder);
    remove(folder_ / "trees" / (revision.commit + ".json"));
    remove(folder_ / ".no_exist" / revision.commit);  // where hf notes files that the revision does not have
  }

  void remove_blob(const fs::path& path, uint64_t size) {
    if (!dry_run_ && path.parent_path() == folder_ / "blobs") {
      const std::string name = path.filename().string();
      const auto lock = try_lock(locks_ / (name.substr(0, name.find('.')) + ".lock"));
      if (!lock) {
        result_.kept.push_back(fmt::format("{}: another process is fetching it", path.string()));
        return;
      }
      if (is_linked(path)) return;
      result_.size += remove(path) ? size : 0;
      return;
    }
    if (remove(path)) result_.size += size;
  }

  // Whether a revision has the blob now.
  bool is_linked(const fs::path& blob) const {
    const CachedModel now = scan_hf_repo(folder_);
    return std::any_of(now.revisions.begin(), now.revisions.end(), [&](const CachedRevision& revision) {
      return std::any_of(revision.files.begin(), revision.files.end(), [&](const CachedFile& file) {
        std::error_code error;
        return fs::equivalent(file.blob, blob, error);
      });
    });
  }

  // The folders that nothing is left in. hf wants a repository to have its snapshots, so those go last.
  void remove_empty() {
    for (const char* name : {"refs", "trees", ".no_exist", "blobs"}) remove_if_empty(folder_ / name);
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder_, error)) {
      if (entry.path().filename() != "snapshots") return;
    }
    if (remove_if_empty(folder_ / "snapshots")) fs::remove(folder_, error);
  }

  // With the empty folders in it. Whether it is gone.
  static bool remove_if_empty(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> inside;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (!entry.is_directory(error)) return false;
      inside.push_back(entry.path());
    }
    for (const fs::path& path : inside) remove_if_empty(path);
    fs::remove(folder, error);
    return !error;
  }

  bool remove(const fs::path& path) { return remove_path(path, dry_run_, result_); }

  const bool dry_run_;
  const CachedModel model_;
  const fs::path folder_;
  const fs::path locks_;
  Removed result_;
};

Removed remove_from_hf_cache(const fs::path& folder, const Removal& removal, bool dry_run) {
  if (dry_run) return Remover(folder, dry_run).run(removal);
  const auto lock = FolderLock::try_own(folder);
  if (!lock) return {{}, {}, 0, {fmt::format("{}: another process is fetching into it", folder.string())}};
  return Remover(folder, dry_run).run(removal);
}

Removed remove_from_own_cache(const fs::path& folder, const Removal& removal, bool dry_run) {
  Removed removed;
  const auto entries = OwnCacheEntry::all();
  const auto entry =
      std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.folder() == folder; });
  if (entry == entries.end()) fail(ErrorCode::kNotFound, "{}: is gone", folder.string());
  const auto lock = dry_run ? nullptr : try_lock(entry->lock_file());
  if (!dry_run && !lock) {
    removed.kept.push_back(fmt::format("{}: another process is fetching it", folder.string()));
    return removed;
  }
  const CachedModel model = scan_own_cache(*entry);
  const bool is_whole = std::all_of(model.revisions.begin(), model.revisions.end(), removal.revisions);
  for (const auto* files : {&model.unfinished, &model.leftovers}) {
    for (const LooseFile& file : *files) {
      if (file.modified >= removal.loose_before) continue;
      if (remove_path(file.path, dry_run, removed)) removed.size += file.size;
    }
  }
  const bool nothing_is_left = removed.files.size() == model.unfinished.size() + model.leftovers.size();
  if (!is_whole || !nothing_is_left) return removed;
  for (const CachedRevision& revision : model.revisions) {
    removed.revisions.push_back(revision);
    removed.size += revision.size;
  }
  removed.files.push_back(folder);
  if (!dry_run) entry->remove();
  return removed;
}

}  // namespace

Removed remove_cached(const CachedModel& model, const Removal& removal, bool dry_run) {
  return is_hub_ref(model.source) ? remove_from_hf_cache(model.folder, removal, dry_run)
                                  : remove_from_own_cache(model.folder, removal, dry_run);
}

}  // namespace swinzoo::zoo
