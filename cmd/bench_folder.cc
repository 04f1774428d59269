#include "cmd/bench_folder.h"

#include <vector>

#include "eval/run_folder.h"
#include "eval/run_setup.h"
#include "eval/run_writer.h"
#include "formats/atomic_file.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

std::vector<eval::Run> runs_in(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    return eval::read_runs(file);
  } catch (const Error& error) {
    fail(error.code(), "{}; delete {} to have all of it measured anew, or give another folder", error.what(),
         file.string());
  }
}

}  // namespace

bool is_timed_enough(const eval::Run& run, const eval::BenchOptions& asked) {
  const int64_t iterations = run.iterations.value_or(0);
  const double seconds = run.timed_seconds.value_or(0);
  if (iterations >= eval::kMostIterations) return true;
  if (asked.iterations.has_value()) return iterations >= *asked.iterations;
  if (iterations < asked.least_iterations || seconds < asked.seconds) return false;
  if (!asked.target_error.has_value() || seconds >= asked.most_seconds) return true;
  return run.median_error.has_value() && *run.median_error <= *asked.target_error;
}

std::optional<eval::Run> BenchFolder::find(const std::string& model, const eval::Run& started,
                                           const eval::BenchOptions& asked) const {
  for (eval::Run& run : runs_in(file_of(model))) {
    if (run.error.empty() && eval::is_same_measurement(run, started) && is_timed_enough(run, asked))
      return std::move(run);
  }
  return std::nullopt;
}

void BenchFolder::add(const std::string& model, const eval::Run& run) const {
  const std::filesystem::path file = file_of(model);
  std::vector<eval::Run> runs = runs_in(file);
  std::erase_if(runs, [&](const eval::Run& old) {
    return old.error.empty() ? eval::is_same_measurement(old, run) : eval::is_same_request(old, run);
  });
  runs.push_back(run);
  write_file(file, eval::to_json(runs));
}

std::filesystem::path BenchFolder::file_of(const std::string& model) const {
  return eval::model_folder(root_, model) / "bench.json";
}

}  // namespace swinzoo::cmd
