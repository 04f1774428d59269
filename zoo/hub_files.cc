#include "zoo/hub_files.h"

#include <algorithm>

#include "formats/error.h"
#include "zoo/glob.h"

namespace swinzoo::zoo {
namespace {

// As huggingface_hub has it: a folder's name stands for all that is in it.
std::vector<std::string> with_folders(std::vector<std::string> patterns) {
  for (std::string& pattern : patterns) {
    if (pattern.ends_with('/')) pattern += '*';
  }
  return patterns;
}

}  // namespace

std::string choose_weights(const std::set<std::string>& names, const std::string& where) {
  for (const char* name : {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                           "pytorch_model.bin.index.json"}) {
    if (names.contains(name)) return name;
  }
  for (const char* extension : {".safetensors", ".pth"}) {
    std::vector<std::string> matching;
    for (const std::string& name : names) {
      if (name.ends_with(extension) && name.find('/') == std::string::npos) matching.push_back(name);
    }
    if (matching.size() > 1) {
      fail(ErrorCode::kUnsupported, "{}: has {} weights and no model.safetensors to prefer: {}", where,
           matching.size(), fmt::join(matching, ", "));
    }
    if (matching.size() == 1) return matching.front();
  }
  return "";
}

std::vector<std::string> choose_files(const std::set<std::string>& names, const std::string& weights) {
  std::vector<std::string> chosen;
  for (const char* name : {"config.json", "preprocessor_config.json"}) {
    if (names.contains(name)) chosen.push_back(name);
  }
  chosen.push_back(weights);
  return chosen;
}

bool is_shard_index(const std::string& weights) { return weights.ends_with(".index.json"); }

std::vector<std::string> likely_shards(const std::set<std::string>& names, const std::string& index) {
  const std::string of_all = index.substr(0, index.size() - std::string(".index.json").size());
  const size_t dot = of_all.rfind('.');
  const std::string stem = of_all.substr(0, dot) + "-";
  std::vector<std::string> shards;
  for (const std::string& name : names) {
    if (name.starts_with(stem) && name.ends_with(of_all.substr(dot))) shards.push_back(name);
  }
  return shards;
}

std::vector<std::string> choose_by_globs(const std::set<std::string>& names,
                                         const std::vector<std::string>& include,
                                         const std::vector<std::string>& exclude, const std::string& where) {
  const auto wanted = with_folders(include);
  const auto unwanted = with_folders(exclude);
  std::vector<std::string> chosen;
  for (const std::string& name : names) {
    if ((wanted.empty() || matches_any(wanted, name)) && !matches_any(unwanted, name)) chosen.push_back(name);
  }
  if (chosen.empty()) {
    fail(ErrorCode::kNotFound, "{}: none of its {} files matches --include {} --exclude {}", where,
         names.size(), fmt::join(include, " "), fmt::join(exclude, " "));
  }
  return chosen;
}

}  // namespace swinzoo::zoo
