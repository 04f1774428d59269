#include <algorithm>
#include <map>

#include "zoo/cache_files.h"
#include "zoo/cache_scan.h"
#include "zoo/own_cache.h"

namespace swinzoo::zoo {
namespace fs = std::filesystem;

CachedModel scan_own_cache(const OwnCacheEntry& entry) {
  CachedModel model;
  model.folder = entry.folder();
  model.source = entry.key();
  std::map<fs::path, FileTimes> blobs;
  if (const auto record = entry.read_record()) {
    model.source = record->source;
    CachedRevision revision;
    revision.folder = model.folder;
    std::vector<OwnFile> files = record->unpacked;
    files.push_back(record->file);
    for (const OwnFile& recorded : files) {
      CachedFile file{recorded.name, model.folder / recorded.name, recorded.sha256, 0, true};
      if (const auto times = times_of(file.blob)) {
        file.size = times->size;
        file.missing = false;
        revision.size += file.size;
        revision.modified = std::max(revision.modified, times->modified);
        blobs[file.blob] = *times;
      } else {
        model.problems.push_back(recorded.name + " is missing");
      }
      revision.files.push_back(std::move(file));
    }
    std::sort(revision.files.begin(), revision.files.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    model.revisions.push_back(std::move(revision));
  }
  for_each_file(model.folder, true, [&](const fs::path& path, const std::string& name) {
    if (blobs.contains(path) || (name == "record.json" && !model.revisions.empty())) return;
    const bool is_unfinished =
        name.find(".incomplete") != std::string::npos || name.starts_with("unpacked.tmp/");
    add_loose(is_unfinished ? model.unfinished : model.leftovers, path);
  });
  sum_up(blobs, model);
  return model;
}

std::vector<CachedModel> scan_own_cache() {
  std::vector<CachedModel> models;
  for (const OwnCacheEntry& entry : OwnCacheEntry::all()) models.push_back(scan_own_cache(entry));
  std::sort(models.begin(), models.end(), [](const auto& a, const auto& b) { return a.source < b.source; });
  return models;
}

}  // namespace swinzoo::zoo
