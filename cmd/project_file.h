// swinzoo.toml: what a repository sets for everybody who works in it.
//
//   [compare]
//   fail-on = "accuracy>0.1,latency>3%"   # as compare's --fail-on
//   noise = "10%"                         # as --noise
//   seconds = 60                          # as --seconds
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace swinzoo::cmd {

struct ProjectFile {
  std::string path;  // for messages
  std::optional<std::string> compare_fail_on;
  std::optional<std::string> compare_noise;
  std::optional<double> compare_seconds;
};

// Reads swinzoo.toml in `folder`, or in the nearest folder above it that has one; empty where there is none.
// Throws kUsage, naming file and line, on what is no TOML, on tables and keys that are not known, and on a
// value of another type.
ProjectFile read_project_file(const std::filesystem::path& folder);

}  // namespace swinzoo::cmd
