#include "cmd/verify_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>

#include "backends/plan_check.h"
#include "cmd/entry_facts.h"
#include "cmd/options.h"
#include "cmd/progress.h"
#include "eval/compare_outputs.h"
#include "eval/count.h"
#include "eval/input_tensor.h"
#include "formats/error.h"
#include "zoo/architecture.h"
#include "zoo/random_weights.h"

namespace swinzoo::cmd {
namespace {

// An architecture with made-up weights on both backends.
struct Run {
  int64_t num_classes = 0;
  eval::OutputComparison comparison;
  double cpu_seconds = 0;

  const eval::NamedError& worst() const {
    return *std::ranges::max_element(comparison.outputs, {},
                                     [](const eval::NamedError& output) { return output.error.relative(); });
  }
};

// An entry, or an architecture that no entry has.
struct Row {
  const zoo::ModelSpec* spec;
  bool runs;
  eval::Count count = {};
  std::string fault = {};    // why it is not as it should be
  const Run* run = nullptr;  // its architecture's
};

std::vector<Row> rows_of(const zoo::Catalog& catalog, const CatalogOptions& options) {
  const auto wanted = [&](const zoo::ModelSpec& spec) {
    return spec.id.find(options.only) != std::string::npos ||
           spec.architecture.find(options.only) != std::string::npos;
  };
  std::vector<Row> rows;
  for (const zoo::ModelSpec& spec : catalog.entries()) {
    if (wanted(spec)) rows.push_back({&spec, options.run});
  }
  for (const zoo::ModelSpec& spec : catalog.architectures()) {
    const bool has_entry = std::ranges::any_of(catalog.entries(), [&](const zoo::ModelSpec& entry) {
      return entry.architecture == spec.architecture;
    });
    // The largest of these take more memory than many machines have.
    if (!has_entry && wanted(spec)) rows.push_back({&spec, options.run && options.only == spec.architecture});
  }
  if (rows.empty()) fail(ErrorCode::kNotFound, "the catalog has nothing with '{}' in its name", options.only);
  return rows;
}

// The architecture's spec with the most classes that a row of the catalog has.
const zoo::ModelSpec& with_largest_head(const zoo::Catalog& catalog, const zoo::ModelSpec& spec) {
  const zoo::ModelSpec* largest = &spec;
  for (const zoo::ModelSpec& entry : catalog.entries()) {
    if (entry.architecture == spec.architecture && entry.num_classes > largest->num_classes) largest = &entry;
  }
  return *largest;
}

Run run_architecture(const zoo::ModelSpec& spec, const CatalogOptions& options) {
  using Clock = std::chrono::steady_clock;
  const backends::Plan plan = zoo::build_plan(spec);
  const zoo::RandomWeights weights(plan, options.seed);
  const auto load = [&](std::string_view backend) {
    return backends::find_backend(backend).load(plan, weights.views(), {options.threads});
  };
  const Tensor x = eval::seeded_input(plan.input_shape(1), options.seed);
  const auto cpu = load("cpu"), reference = load("reference");
  Run run;
  run.num_classes = spec.num_classes;
  run.comparison = eval::compare_outputs(*reference, *cpu, x.view());
  const std::vector<std::string> last = {spec.num_classes > 0 ? "logits" : "embedding"};
  const auto start = Clock::now();
  backends::run_outputs(*cpu, x.view(), last);
  run.cpu_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return run;
}

std::string fault_of(const Run& run, double tolerance) {
  std::string diverged;
  for (const eval::NamedError& output : run.comparison.outputs) {
    if (output.error.relative() > tolerance || output.error.not_finite > 0) diverged += " " + output.output;
  }
  return diverged.empty() ? "" : "off or not finite:" + diverged;
}

json::object to_result(const Row& row, const Globals& globals) {
  const zoo::ModelSpec& spec = *row.spec;
  json::object result = {{"id", spec.id},
                         {"architecture", spec.architecture},
                         {"family", spec.dimensions.family},
                         {"input", input_of(spec.dimensions)},
                         {"num_classes", spec.num_classes},
                         {"params", row.count.params},
                         {"macs", row.count.macs},
                         {"ok", row.fault.empty()},
                         {"fault", row.fault.empty() ? json::value(nullptr) : json::value(row.fault)},
                         {"run", nullptr}};
  if (row.run == nullptr) return result;
  const auto figures = [](const eval::NamedError& output) {
    return json::object{{"output", output.output},
                        {"relative", output.error.relative()},
                        {"max_abs_error", output.error.max_abs},
                        {"abs_max", output.error.abs_max},
                        {"not_finite", output.error.not_finite}};
  };
  json::object run = {{"num_classes", row.run->num_classes},
                      {"outputs", row.run->comparison.outputs.size()},
                      {"worst", figures(row.run->worst())},
                      {"cpu_seconds", row.run->cpu_seconds},
                      {"reference_seconds", row.run->comparison.expected_seconds}};
  if (globals.verbose) {
    json::array all;
    for (const eval::NamedError& output : row.run->comparison.outputs) all.push_back(figures(output));
    run["all_outputs"] = std::move(all);
  }
  result["run"] = std::move(run);
  return result;
}

// Rows as they come: a table whose widths are known before, or the lines of a JSON document.
class Printer {
 public:
  Printer(const std::vector<Row>& rows, const CatalogOptions& options, const Globals& globals)
      : options_(options), globals_(globals) {
    for (const Row& row : rows) {
      id_width_ = std::max(id_width_, row.spec->id.size());
      architecture_width_ = std::max(architecture_width_, row.spec->architecture.size());
    }
    if (options.json) {
      fmt::print("{{\"schema\": 1, \"results\": [");
    } else {
      print_line("id", "architecture", "input", "params", "GMACs", "error", "worst output", "cpu s",
                 "reference s", "result");
    }
  }

  void add(const Row& row) {
    if (options_.json) {
      fmt::print("{}\n{}", any_ ? "," : "", to_json_line(to_result(row, globals_)));
      any_ = true;
    } else {
      std::string error = "-", output = "-", cpu = "-", reference = "-";
      if (row.run != nullptr) {
        error = fmt::format("{:.2e}", row.run->worst().error.relative());
        output = row.run->worst().output;
        cpu = fmt::format("{:.3f}", row.run->cpu_seconds);
        reference = fmt::format("{:.1f}", row.run->comparison.expected_seconds);
      }
      print_line(row.spec->id, row.spec->architecture, input_of(row.spec->dimensions),
                 fmt::format("{:.2f} M", static_cast<double>(row.count.params) / 1e6),
                 fmt::format("{:.2f}", static_cast<double>(row.count.macs) / 1e9), error, output, cpu,
                 reference, row.fault.empty() ? "ok" : "FAILED: " + row.fault);
    }
    std::fflush(stdout);
  }

  void finish() const {
    if (options_.json) fmt::print("\n]}}\n");
  }

 private:
  void print_line(std::string_view id, std::string_view architecture, std::string_view input,
                  std::string_view params, std::string_view macs, std::string_view error,
                  std::string_view output, std::string_view cpu, std::string_view reference,
                  std::string_view result) const {
    fmt::print("{:<{}}  {:<{}}  {:>10}  {:>9}  {:>7}", id, id_width_, architecture, architecture_width_,
               input, params, macs);
    if (options_.run) fmt::print("  {:>8}  {:<13}  {:>7}  {:>11}", error, output, cpu, reference);
    fmt::print("  {}\n", result);
  }

  const CatalogOptions& options_;
  const Globals& globals_;
  size_t id_width_ = 0, architecture_width_ = 0;
  bool any_ = false;
};

}  // namespace

int verify_catalog(const CatalogOptions& options, const zoo::Catalog& catalog, const Globals& globals) {
  std::vector<Row> rows = rows_of(catalog, options);
  std::map<std::string, Run> runs;  // by architecture
  Printer printer(rows, options, globals);
  Progress progress("verify", std::ssize(rows), Unit::kCount, globals.quiet || !options.json);
  int64_t done = 0, faults = 0;
  for (Row& row : rows) {
    progress.update(done++, row.spec->architecture);
    try {
      const backends::Plan plan = zoo::build_plan(*row.spec);
      backends::check_plan(plan);
      row.count = eval::count(plan);
      if (row.runs) {
        const std::string& architecture = row.spec->architecture;
        const auto ran = runs.find(architecture);
        row.run = ran != runs.end()
                      ? &ran->second
                      : &runs.emplace(architecture,
                                      run_architecture(with_largest_head(catalog, *row.spec), options))
                             .first->second;
        row.fault = fault_of(*row.run, options.tolerance);
      }
    } catch (const Error& error) {
      row.fault = error.what();
    }
    if (!row.fault.empty()) ++faults;
    printer.add(row);
  }
  printer.finish();
  if (faults > 0) fail(ErrorCode::kCorrupt, "{} of {} rows are not as they should be", faults, rows.size());
  return 0;
}

}  // namespace swinzoo::cmd
