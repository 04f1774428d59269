#include "cmd/measured_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>

#include "cmd/options.h"
#include "eval/count.h"
#include "eval/machine.h"
#include "eval/preprocess.h"
#include "eval/run_folder.h"
#include "eval/run_writer.h"
#include "formats/atomic_file.h"
#include "formats/error.h"
#include "zoo/canonical.h"

namespace swinzoo::cmd {
namespace {

const eval::RunFormat& format_of(const RunOutput& output) {
  return *std::ranges::find(eval::run_formats(), output.format, &eval::RunFormat::name);
}

}  // namespace

void add_run_output_options(CLI::App& app, RunOutput& output) {
  std::vector<std::string> names;
  for (const eval::RunFormat& format : eval::run_formats()) names.emplace_back(format.name);
  app.add_option("--format", output.format, "How to print the results; jsonl and csv: each as it comes")
      ->check(one_of(names))
      ->type_name(fmt::format("{}", fmt::join(names, "|")))
      ->capture_default_str();
  app.add_flag_callback(
      "--json", [&output] { output.format = "json"; }, "The same as --format json");
  app.add_option("-o,--output", output.file, "Write JSON results here, for 'swinzoo report'")
      ->type_name("RUN.json");
}

void RunLog::add(eval::Run run) {
  run.peak_memory_mb = eval::peak_memory_mb();
  add_finished(std::move(run));
}

void RunLog::add_finished(eval::Run run) {
  if (!output_.samples) run.samples.clear();
  runs_.push_back(std::move(run));
  if (!output_.file.empty() && !eval::is_run_folder(output_.file) && !is_special_file(output_.file)) {
    write_file(output_.file, eval::to_json(runs_));
  }
  const eval::RunFormat& format = format_of(output_);
  if (!format.header_lines.has_value()) return;
  fmt::print("{}", eval::last_lines(format, runs_));
  if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category(), "standard output");
}

void RunLog::finish() const {
  if (is_special_file(output_.file)) write_file(output_.file, eval::to_json(runs_));
  const bool is_printed = format_of(output_).header_lines.has_value() && !runs_.empty();
  if (!is_printed) print_runs(runs_, output_);
}

void print_runs(std::span<const eval::Run> runs, const RunOutput& output) {
  fmt::print("{}", format_of(output).write(runs));
}

eval::Run start_run(const std::string& kind, const zoo::Model& model, const ModelOptions& options,
                    int threads) {
  const zoo::ModelSpec& spec = model.spec();
  const eval::Count count = eval::count(model.executable().plan());
  eval::Run run;
  run.kind = kind;
  run.started_at = eval::utc_text(std::chrono::system_clock::now());
  set_model(run, spec);
  set_machine(run, eval::this_machine());
  run.preprocessing = eval::preprocessing_fingerprint(spec.preprocessing, spec.dimensions.image_size);
  run.params = count.params;
  run.macs = count.macs;
  run.activations = count.activations;
  run.weights_digest = zoo::weights_digest(model.digests());
  run.backend = options.backend;
  run.isa = model.executable().isa();
  run.threads = threads;
  run.streams = options.streams;
  run.precision = backends::name_of(options.precision);
  return run;
}

}  // namespace swinzoo::cmd
