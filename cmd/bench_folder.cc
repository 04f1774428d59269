#include "cmd/bench_folder.h"

#include <vector>

#include "eval/run_folder.h"
#include "eval/run_setup.h"
#include "eval/run_writer.h"
#include "formats/atomic_file.h"

namespace swinzoo::cmd {
namespace {

std::vector<eval::Run> runs_in(const std::filesystem::path& file) {
  return std::filesystem::exists(file) ? eval::read_runs(file) : std::vector<eval::Run>();
}

}  // namespace

std::optional<eval::Run> BenchFolder::find(const std::string& model, const eval::Run& started) const {
  for (eval::Run& run : runs_in(file_of(model))) {
    if (run.error.empty() && eval::is_same_measurement(run, started)) return std::move(run);
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
