#include "eval/run_folder.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "eval/image_folder.h"
#include "eval/sample_log.h"
#include "formats/error.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {

bool is_run_folder(const fs::path& path) {
  return !path.empty() && (!path.has_filename() || fs::is_directory(path));
}

fs::path model_folder(const fs::path& root, std::string_view model) {
  constexpr std::string_view kKept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  std::string name(model);
  if (name.find(':') == std::string::npos) {  // else it's no path but a source, as hf:OWNER/REPO
    name = fs::path(name).lexically_normal().string();
    if (name.size() > 1 && name.ends_with('/')) name.pop_back();
  }
  for (char& c : name) {
    if (kKept.find(c) == std::string_view::npos) c = '_';
  }
  for (size_t i = 0; i < name.size() && name[i] == '.'; ++i) name[i] = '_';
  return root / name;
}

std::vector<fs::path> run_files(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    const fs::path name = entry.path().filename();
    if ((name == "result.json" || name == "bench.json" || name == kFailureFile) && entry.is_regular_file()) {
      files.push_back(entry.path().string());
    }
  }
  if (files.empty()) fail(ErrorCode::kNotFound, "{}: no result.json or bench.json below it", path.string());
  std::ranges::sort(files, natural_less);
  return {files.begin(), files.end()};
}

std::vector<Run> read_all_runs(const fs::path& path, ReadSamples samples) {
  std::vector<Run> runs;
  for (const fs::path& file : run_files(path)) {
    std::vector<Run> some = read_runs(file);
    const SampleFiles beside{file.parent_path()};
    if (samples == ReadSamples::kOfFolderToo && file == beside.result() && some.size() == 1 &&
        some.front().samples.empty() && fs::exists(beside.samples())) {
      some.front().samples = read_samples(beside.samples());
    }
    std::ranges::move(some, std::back_inserter(runs));
  }
  return runs;
}

}  // namespace swinzoo::eval
