// From the name that a user gives to the files that a model is loaded from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace swinzoo::zoo {

struct ModelFiles {
  std::filesystem::path checkpoint;             // a file, or a SavedModel's folder
  std::optional<std::filesystem::path> config;  // config.json, beside it
  std::optional<std::filesystem::path>
      preprocessor_config;  // transformers' preprocessor_config.json, beside it
  std::string origin;       // where they come from, for messages: hf:OWNER/REPO at a commit, or the path
};

// MODEL is a checkpoint file, a folder with one (chosen as hub.h says), either with file: before it, or
// hf:OWNER/REPO[@REV], which must be in the cache. Where `sources` (a catalog entry's) are given, they count
// instead: the first that is present. Nothing is fetched. Throws kNotFound, saying what to fetch;
// kUnsupported if only sources of a kind that this build can't fetch are left; kUsage. Thread-safe.
ModelFiles resolve_model_files(const std::string& model, const std::vector<std::string>& sources);

// The path in "file:PATH" or "PATH"; nothing for the other kinds: hf:, tfhub:, http:, https:.
std::optional<std::filesystem::path> path_of_source(const std::string& source);

// Whether this build can fetch a source of that kind: hf: and paths.
bool is_built(const std::string& source);

// Throws kUnsupported for a source of a kind that this build can't fetch (all but hf: and paths).
void require_built(const std::string& source);

}  // namespace swinzoo::zoo
