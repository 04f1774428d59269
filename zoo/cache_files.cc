#include "zoo/cache_files.h"

#include <sys/stat.h>

#include <algorithm>

#include "formats/error.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

void add_files(const fs::path& folder, bool deep, std::vector<fs::path>& paths) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const bool is_folder = it->is_directory(ignored) && !it->is_symlink(ignored);
    if (!is_folder) {
      paths.push_back(it->path());
    } else if (deep) {
      add_files(it->path(), deep, paths);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory) {
    fail(ErrorCode::kFailed, "{}: can't be read: {}", folder.string(), error.message());
  }
}

}  // namespace

std::optional<FileTimes> times_of(const fs::path& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const auto size = static_cast<uint64_t>(status.st_size);
  return FileTimes{size,
                   std::min(size, static_cast<uint64_t>(status.st_blocks) * 512),  // stat(2)'s unit
                   status.st_atim.tv_sec,
                   status.st_mtim.tv_sec,
                   {status.st_dev, status.st_ino}};
}

int64_t folder_modified(const fs::path& folder) {
  struct stat status;
  return ::stat(folder.c_str(), &status) == 0 ? status.st_mtim.tv_sec : 0;
}

void for_each_file(const fs::path& folder, bool deep,
                   const std::function<void(const fs::path&, const std::string&)>& visit) {
  std::vector<fs::path> paths;
  add_files(folder, deep, paths);
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) visit(path, path.lexically_relative(folder).generic_string());
}

void add_loose(std::vector<LooseFile>& files, const fs::path& path) {
  if (const auto times = times_of(path)) files.push_back({path, times->on_disk, times->modified});
}

void sum_up(const std::map<fs::path, FileTimes>& blobs, CachedModel& model) {
  for (const auto& [path, times] : blobs) {
    model.size += times.size;
    model.used = std::max(model.used, times.used);
    model.modified = std::max(model.modified, times.modified);
  }
  for (const auto* files : {&model.unfinished, &model.leftovers}) {
    for (const LooseFile& file : *files) {
      model.size += file.size;
      model.modified = std::max(model.modified, file.modified);
    }
  }
  if (model.modified == 0) model.modified = folder_modified(model.folder);
  model.used = std::max(model.used, model.modified);
}

}  // namespace swinzoo::zoo
