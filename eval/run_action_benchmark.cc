// Runs as the GitHub action benchmark-action/github-action-benchmark reads them with `tool:
// customSmallerIsBetter`: an array of {name, unit, value, range, extra} (its README, "Use this action with
// custom data"). Only figures that are better where they are smaller; what failed has none.
#include <fmt/format.h>

#include "eval/run_setup.h"
#include "eval/run_writer.h"

namespace swinzoo::eval {
namespace {

void add(const Run& run, const char* what, const char* unit, std::optional<double> value,
         const std::string& range, json::array& entries) {
  if (!value.has_value()) return;
  json::object entry = {{"name", fmt::format("{}, {}: {}", run.model, setup_text(run), what)},
                        {"unit", unit},
                        {"value", *value},
                        {"extra", fmt::format("{}\n{} {}\nswinzoo {} {}", run.cpu, run.backend, run.isa,
                                              run.swinzoo_version, run.commit)}};
  if (!range.empty()) entry["range"] = range;
  entries.push_back(std::move(entry));
}

std::string half_width(std::optional<double> low, std::optional<double> high, const char* format) {
  if (!low.has_value() || !high.has_value()) return "";
  return "± " + fmt::format(fmt::runtime(format), (*high - *low) / 2);
}

}  // namespace

std::string to_action_benchmark(std::span<const Run> runs) {
  json::array entries;
  for (const Run& run : runs) {
    if (run.kind == "eval") {
      add(run, "top-1 error", "%", run.top1_err, half_width(run.top1_low, run.top1_high, "{:.3f}"), entries);
      add(run, "top-5 error", "%", run.top5_err, half_width(run.top5_low, run.top5_high, "{:.3f}"), entries);
      continue;
    }
    add(run, "median latency", "ms", run.median_ms,
        half_width(run.median_low_ms, run.median_high_ms, "{:.4g}"), entries);
    add(run, "load time", "ms", run.load_ms, "", entries);
    add(run, "peak memory", "MiB", run.peak_memory_mb, "", entries);
  }
  return to_pretty_json(json::value(std::move(entries))) + "\n";
}

}  // namespace swinzoo::eval
