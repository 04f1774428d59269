// A folder of results, as `-o runs/` of eval and bench leave it: a folder a model, that holds
//   eval/        an evaluation, that goes on where it was stopped; eval/result.json once it is over,
//                eval/failed.json where it could not be measured, beside others that could
//   bench.json   the results of bench, a configuration each
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "eval/run.h"

namespace swinzoo::eval {

// A results document of one run, with its error.
inline constexpr const char* kFailureFile = "failed.json";

// Whether -o means such a folder: it ends in a slash, or is a folder.
bool is_run_folder(const std::filesystem::path& path);

// Where the model's results lie under `root`: its name, with `_` for every character but [A-Za-z0-9._-], and
// for each dot that it begins with, so that the folder is not hidden. A path is made normal first: x, ./x and
// y/../x have one folder.
std::filesystem::path model_folder(const std::filesystem::path& root, std::string_view model);

// The documents that `path` stands for: itself, or those named result.json and bench.json at any depth under
// a folder, in the natural order of their paths. Throws kNotFound for a folder without any.
std::vector<std::filesystem::path> run_files(const std::filesystem::path& path);

// Which samples of evaluations are read: those that a document holds itself, or where it holds none those of
// the samples.jsonl beside it too.
enum class ReadSamples { kOfDocument, kOfFolderToo };

// The results that `path` holds: those of a document (read_runs), or of all documents that run_files() names.
// Throws as read_runs and read_samples; kNotFound for a folder without any.
std::vector<Run> read_all_runs(const std::filesystem::path& path,
                               ReadSamples samples = ReadSamples::kOfDocument);

}  // namespace swinzoo::eval
