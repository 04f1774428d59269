// From the name that a user gives to the files that a model is loaded from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "zoo/source.h"

namespace swinzoo::zoo {

struct ModelFiles {
  std::filesystem::path checkpoint;             // a file, or a SavedModel's folder
  std::optional<std::filesystem::path> config;  // config.json, beside it
  std::optional<std::filesystem::path>
      preprocessor_config;  // transformers' preprocessor_config.json, beside it
  std::string origin;       // where they come from, for messages: hf:OWNER/REPO at a commit, or the path
};

// MODEL is a source (source.h): a checkpoint file, a folder with one (chosen as hub.h says), or something
// that was fetched, which must be in its cache. Where `sources` (a catalog entry's) are given, they count
// instead: the first that is present. Nothing is fetched. Throws kNotFound, saying what to fetch; kUsage.
// Thread-safe.
ModelFiles resolve_model_files(const std::string& model, const std::vector<std::string>& sources);

// Whether resolve_model_files() would find it.
bool is_present(const Source& source);

// What to open of a folder: itself, if it's a SavedModel, else the weights in it (hub.h). Throws kNotFound if
// it holds neither; kUnsupported as find_model_in().
std::filesystem::path checkpoint_in(const std::filesystem::path& folder);

}  // namespace swinzoo::zoo
