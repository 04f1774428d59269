// The results of bench in a folder of results (eval/run_folder.h): a bench.json a model, that grows.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "eval/run.h"

namespace swinzoo::cmd {

// `model` is the name that the command line gives it, which names the file.
class BenchFolder {
 public:
  explicit BenchFolder(std::filesystem::path root) : root_(std::move(root)) {}

  // What was measured before of the same configuration: the same weights, setup and machine, by the same
  // commit and build. Throws as eval::read_runs.
  std::optional<eval::Run> find(const std::string& model, const eval::Run& started) const;

  // Writes it to the model's bench.json, in place of one of the same configuration, and of one that failed.
  void add(const std::string& model, const eval::Run& run) const;

 private:
  std::filesystem::path file_of(const std::string& model) const;

  std::filesystem::path root_;
};

}  // namespace swinzoo::cmd
