// The results of bench in a folder of results (eval/run_folder.h): a bench.json a model, that grows.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "eval/bench.h"
#include "eval/run.h"

namespace swinzoo::cmd {

// Whether a finished run was timed for as long as `asked` has it timed (eval/bench.h): at least so many calls
// where a number is asked for; else at least that time and those calls, and where an error is asked for,
// until the median's was that small or the longest time was over. A run of kMostIterations always was. Its
// warm-up is not looked at.
bool is_timed_enough(const eval::Run& run, const eval::BenchOptions& asked);

// `model` is the name that the command line gives it, which names the file.
class BenchFolder {
 public:
  explicit BenchFolder(std::filesystem::path root) : root_(std::move(root)) {}

  // What was measured before of the same configuration: the same weights, setup and machine, by the same
  // commit and build; long enough for `asked`. Throws as eval::read_runs, saying what to do with the file.
  std::optional<eval::Run> find(const std::string& model, const eval::Run& started,
                                const eval::BenchOptions& asked) const;

  // Writes it to the model's bench.json, in place of one of the same configuration, and of one that failed.
  // Throws as find().
  void add(const std::string& model, const eval::Run& run) const;

 private:
  std::filesystem::path file_of(const std::string& model) const;

  std::filesystem::path root_;
};

}  // namespace swinzoo::cmd
