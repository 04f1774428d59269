// Evaluations by the real binary that are kept in a folder of results.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "formats/json.h"
#include "tests/process.h"
#include "tests/run_binary.h"

namespace swinzoo {

// A model of 5 classes, and `copies` times six images in three of them, and a damaged one.
struct EvalFolder {
  TemporaryFolder folder;
  std::string model = folder.path() / "mini";
  std::filesystem::path data = folder.path() / "data";

  explicit EvalFolder(int copies = 2);

  // A folder of results, for -o.
  std::string runs(const std::string& name = "runs") const { return (folder.path() / name).string() + "/"; }
  // Where the model's evaluation lies in it.
  std::filesystem::path evaluation(const std::string& name = "runs") const;
  // The command line from "eval" on.
  std::vector<std::string> command(std::vector<std::string> more) const;
  Result eval(std::vector<std::string> more) const { return run_swinzoo(command(std::move(more))); }
};

// What an evaluation's result.json says, without what differs from one run to the next of the same thing.
json::object steady(const std::filesystem::path& evaluation);

// Kills an evaluation of many images at random moments, begun again each time, and checks that it ends with
// what an undisturbed one gives.
void check_killed_evaluation(int kills, int copies);

}  // namespace swinzoo
