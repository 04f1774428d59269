// swinzoo bench: how long a model takes for a batch, over batch sizes and threads.
#include "eval/bench.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cmd/command.h"
#include "cmd/measured_run.h"
#include "cmd/model_options.h"
#include "cmd/options.h"
#include "eval/count.h"
#include "eval/model_bench.h"
#include "eval/profile.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::vector<std::string> models;
  std::vector<int64_t> batches = {1};
  std::vector<int> threads;
  int64_t iterations = 0;
  eval::BenchOptions loop;
  bool profile = false;
  RunOutput output;
  ModelOptions run;
};

std::vector<int> all_threads_of(const Options& options) {
  if (options.threads.empty()) return {threads_of(options.run)};
  return options.threads;
}

// One configuration after another of one model, loaded anew for each number of threads.
void bench(const std::string& name, const Options& options, const zoo::Catalog& catalog,
           const Globals& globals, RunLog& log) {
  for (const int threads : all_threads_of(options)) {
    eval::SteadyClock clock;
    const auto before = clock.now();
    const zoo::Model model = load_model(name, catalog, options.run, threads, globals);
    const double load_ms = std::chrono::duration<double, std::milli>(clock.now() - before).count();
    const backends::Executable& executable = model.executable();
    const eval::Run common = start_run("bench", model, options.run, threads);
    std::optional<eval::Roof> roof;
    if (options.profile) roof = eval::roof_of(executable.isa(), threads);
    for (const int64_t batch : options.batches) {
      if (!globals.quiet)
        fmt::print(stderr, "swinzoo: timing {}, batch {}, {} threads, {} streams\n", name, batch, threads,
                   options.run.streams);
      eval::Run run = common;
      eval::Samples samples;
      if (roof) {
        eval::StepSamples timed = eval::time_steps(executable, batch, options.loop, clock);
        run.profile = eval::profile_of(executable.plan(), batch, timed.steps, *roof);
        samples = std::move(timed.samples);
      } else {
        samples = eval::time_model(executable, batch, options.run.streams, options.loop, clock);
      }
      set_timing(run, samples, batch, eval::count(executable.plan()).macs_each_run);
      run.load_ms = load_ms;
      log.add(std::move(run));
    }
  }
}

void require_usage(const Options& options) {
  if (options.profile && options.run.streams > 1) {
    fail(ErrorCode::kUsage, "--profile times the steps of one call at a time, so it takes no --streams");
  }
  for (const int threads : all_threads_of(options)) {
    if (options.run.streams <= threads) continue;
    fail(ErrorCode::kUsage, "--streams {} share the threads, so there must be as many; there are {}",
         options.run.streams, threads);
  }
}

int run(const Options& options, const Globals& globals) {
  require_usage(options);
  const zoo::Catalog catalog = load_catalog(options.run.catalog);
  RunLog log(options.output);
  const int status = for_each_model(
      options.models, [&](const std::string& model) { bench(model, options, catalog, globals, log); });
  log.print();
  return status;
}

}  // namespace

Action setup_bench(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("model", options->models, "Catalog ids, hf:OWNER/REPO in the cache, or paths")
      ->required()
      ->type_name("MODEL");
  app.add_option("-b,--batch", options->batches, "Batch sizes, each a configuration")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->check(in_range(1, 65536))
      ->type_name("N[,N]")
      ->default_str("1");
  app.add_option("--threads", options->threads,
                 "Numbers of threads, each a configuration (default: the cores that there are)")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->check(in_range(1, 4096))
      ->type_name("N[,N]");
  app.add_option("--streams", options->run.streams,
                 "Calls at the same time, that share the threads: for throughput")
      ->check(in_range(1, 4096))
      ->type_name("N")
      ->capture_default_str();
  const auto iterations =
      app.add_option("--iterations", options->iterations, "Timed calls (default: as --seconds gives)")
          ->check(in_range(int64_t{1}, eval::kMostIterations))
          ->type_name("N");
  app.add_option("--seconds", options->loop.seconds, "Time to spend on timed calls; at least 10 are made")
      ->check(in_range(0.0, 86400.0))
      ->type_name("S")
      ->capture_default_str()
      ->excludes(iterations);
  app.add_option("--warmup", options->loop.warmup, "Untimed calls first, for half a second at least; 0: none")
      ->check(in_range(int64_t{0}, eval::kMostIterations))
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--profile", options->profile,
               "Where the time goes, by step: with MACs, bytes and the share of the machine's roof");
  add_model_options(app, options->run, false);
  add_run_output_options(app, options->output);
  return [options](const Globals& globals) {
    if (options->iterations > 0) options->loop.iterations = options->iterations;
    if (options->loop.warmup == 0) options->loop.warmup_seconds = 0;
    return run(*options, globals);
  };
}

}  // namespace swinzoo::cmd
