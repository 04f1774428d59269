#include "cmd/bench_folder.h"

#include <algorithm>
#include <span>
#include <vector>

#include "eval/run_folder.h"
#include "eval/run_writer.h"
#include "formats/atomic_file.h"

namespace swinzoo::cmd {
namespace {

// What a configuration is on the command line, ...
constexpr const char* kConfiguration[] = {"backend", "precision", "threads",           "streams",
                                          "batch",   "pinned",    "with_preprocessing"};

// ... and what else a time depends on, and is the same as long as nobody changes it.
constexpr const char* kSurroundings[] = {"model",
                                         "weights_digest",
                                         "image_size",
                                         "macs",
                                         "preprocessing",
                                         "isa",
                                         "cpu",
                                         "cores",
                                         "memory_mb",
                                         "governor",
                                         "kernel",
                                         "commit",
                                         "swinzoo_version",
                                         "compiler",
                                         "build_type",
                                         "build_flags",
                                         "sanitizer"};

bool are_equal(const eval::Run& a, const eval::Run& b, std::span<const char* const> fields) {
  const json::object left = eval::to_object(a), right = eval::to_object(b);
  return std::ranges::all_of(fields, [&](const char* field) {
    const json::value* of_left = find_member(left, field);
    const json::value* of_right = find_member(right, field);
    return of_left == nullptr || of_right == nullptr ? of_left == of_right : *of_left == *of_right;
  });
}

bool is_same(const eval::Run& a, const eval::Run& b) {
  return are_equal(a, b, kConfiguration) && are_equal(a, b, kSurroundings);
}

std::vector<eval::Run> runs_in(const std::filesystem::path& file) {
  return std::filesystem::exists(file) ? eval::read_runs(file) : std::vector<eval::Run>();
}

}  // namespace

std::optional<eval::Run> BenchFolder::find(const std::string& model, const eval::Run& started) const {
  for (eval::Run& run : runs_in(file_of(model))) {
    if (run.error.empty() && is_same(run, started)) return std::move(run);
  }
  return std::nullopt;
}

void BenchFolder::add(const std::string& model, const eval::Run& run) const {
  const std::filesystem::path file = file_of(model);
  std::vector<eval::Run> runs = runs_in(file);
  std::erase_if(runs, [&](const eval::Run& old) {
    return old.error.empty() ? is_same(old, run) : are_equal(old, run, kConfiguration);
  });
  runs.push_back(run);
  write_file(file, eval::to_json(runs));
}

std::filesystem::path BenchFolder::file_of(const std::string& model) const {
  return eval::model_folder(root_, model) / "bench.json";
}

}  // namespace swinzoo::cmd
