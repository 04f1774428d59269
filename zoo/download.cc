#include "zoo/download.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>

#include "zoo/file_download.h"

namespace swinzoo::zoo {
namespace {

using Files = std::vector<std::unique_ptr<FileDownload>>;

// All that is to come must fit, disk by disk.
void require_space_for_all(std::span<const DownloadRequest> requests, const Files& files) {
  struct Need {
    std::filesystem::path folder;
    uint64_t bytes = 0;
  };
  std::map<dev_t, Need> needs;
  for (size_t i = 0; i < files.size(); ++i) {
    struct stat status;
    const std::filesystem::path folder = requests[i].target.parent_path();
    if (::stat(folder.c_str(), &status) != 0) continue;
    Need& need = needs[status.st_dev];
    need.folder = folder;
    need.bytes += files[i]->disk_space_needed();
  }
  for (const auto& [device, need] : needs) require_disk_space(need.folder, need.bytes);
}

// How long there may be nothing to do but wait for the network.
std::chrono::milliseconds longest_wait(const Files& files, FileDownload::Clock::time_point now) {
  using std::chrono::milliseconds;
  milliseconds wait{100};
  for (const auto& file : files) {
    const auto until = file->pauses_until();
    if (until > now) wait = std::min(wait, std::chrono::ceil<milliseconds>(until - now));
  }
  return wait;
}

}  // namespace

std::vector<Downloaded> download(std::span<const DownloadRequest> requests, const TransferOptions& options) {
  Transport transport(options.cancelled);
  Files files;
  for (const DownloadRequest& request : requests) {
    files.push_back(std::make_unique<FileDownload>(request, options, transport));
    files.back()->open();
  }
  require_space_for_all(requests, files);

  const auto is_done = [](const auto& file) { return file->is_done(); };
  while (!std::all_of(files.begin(), files.end(), is_done)) {
    const auto now = FileDownload::Clock::now();
    size_t running = 0;
    for (const auto& file : files) running += file->connections();
    for (const auto& file : files) {
      for (; running < static_cast<size_t>(options.connections) && file->wants_connection(now); ++running) {
        file->connect();
      }
    }
    transport.poll(longest_wait(files, now));
    for (const auto& file : files) file->tend();
  }

  std::vector<Downloaded> results;
  for (const auto& file : files) results.push_back(file->take_result());
  return results;
}

Downloaded download(const DownloadRequest& request, const TransferOptions& options) {
  return download(std::span(&request, 1), options).front();
}

}  // namespace swinzoo::zoo
