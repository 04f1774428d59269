// Runs as google-benchmark's JSON reporter writes them (its 1.7.1's src/json_reporter.cc), for its
// compare.py.
//
// There a benchmark is repeated, and a repetition's real_time is the mean of many calls. Here the calls'
// times, in their order, are cut into as even parts as can be, kMostRepetitions at most, and each is a
// repetition: so compare.py's U test has samples to work on. cpu_time is the processor time of all threads.
// What has no time is left out: runs of eval, and what failed, which compare.py stumbles over.
#include <algorithm>

#include "eval/run_setup.h"
#include "eval/run_writer.h"
#include "eval/statistics.h"

namespace swinzoo::eval {
namespace {

constexpr size_t kMostRepetitions = 30;

json::object context_of(const Run& run) {
  return {{"date", run.started_at},
          {"host_name", ""},
          {"executable", "swinzoo"},
          {"num_cpus", run.cores.value_or(1)},
          {"mhz_per_cpu", 0},
          {"cpu_scaling_enabled", !run.governor.empty() && run.governor != "performance"},
          {"caches", json::array()},
          {"load_avg", json::array{run.load_average.value_or(0)}},
          {"library_build_type", run.build_type == "Release" ? "release" : "debug"},
          {"cpu", run.cpu},
          {"commit", run.commit}};
}

json::object benchmark_of(const Run& run, size_t family) {
  const std::string name = run.model + "/" + setup_text(run);
  return {{"name", name},     {"family_index", family},  {"per_family_instance_index", 0},
          {"run_name", name}, {"run_type", "iteration"}, {"threads", run.threads.value_or(1)},
          {"time_unit", "ms"}};
}

void add_repetitions(const Run& run, size_t family, json::array& benchmarks) {
  const std::span<const double> ms = run.samples_ms;
  const size_t parts = std::min(ms.size(), kMostRepetitions);
  for (size_t i = 0; i < parts; ++i) {
    const size_t first = ms.size() * i / parts, end = ms.size() * (i + 1) / parts;
    json::object repetition = benchmark_of(run, family);
    const double real_ms = mean(ms.subspan(first, end - first));
    repetition["repetitions"] = parts;
    repetition["repetition_index"] = i;
    repetition["iterations"] = end - first;
    repetition["real_time"] = real_ms;
    repetition["cpu_time"] = run.cpu_ms.value_or(real_ms);
    repetition["items_per_second"] =
        1000 * static_cast<double>(run.batch.value_or(1) * run.streams.value_or(1)) / real_ms;
    benchmarks.push_back(std::move(repetition));
  }
}

}  // namespace

std::string to_google_benchmark(std::span<const Run> runs) {
  json::array benchmarks;
  json::object context;
  size_t family = 0;
  for (const Run& run : runs) {
    if (context.empty()) context = context_of(run);
    if (run.samples_ms.empty()) continue;
    add_repetitions(run, family++, benchmarks);
  }
  const json::object document = {{"context", std::move(context)}, {"benchmarks", std::move(benchmarks)}};
  return to_pretty_json(document) + "\n";
}

}  // namespace swinzoo::eval
