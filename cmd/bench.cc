// swinzoo bench: how long a model takes for a batch, over batch sizes and threads.
#include "eval/bench.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "cmd/command.h"
#include "cmd/measured_run.h"
#include "cmd/model_options.h"
#include "cmd/options.h"
#include "eval/count.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::vector<std::string> models;
  std::vector<int64_t> batches = {1};
  std::vector<int> threads;
  int64_t iterations = 0;
  eval::BenchOptions loop;
  RunOutput output;
  ModelOptions run;
};

// An input whose values are spread as those of normalised images are: a sine wave of amplitude 2 over all
// elements.
Tensor made_input(const backends::Plan& plan, int64_t batch) {
  Tensor x(DType::kF32, plan.input_shape(batch));
  float phase = 0;
  for (float& value : x.as<float>()) {
    value = 2.0f * std::sin(phase);
    phase = std::fmod(phase + 0.37f, 6.2831853f);
  }
  return x;
}

// One configuration after another of one model, loaded anew for each number of threads.
void bench(const std::string& name, const Options& options, const zoo::Catalog& catalog,
           const Globals& globals, RunLog& log) {
  const std::vector<int> all_threads =
      options.threads.empty() ? std::vector<int>{threads_of(options.run)} : options.threads;
  for (const int threads : all_threads) {
    eval::SteadyClock clock;
    const auto before = clock.now();
    const zoo::Model model = load_model(name, catalog, options.run, threads, globals);
    const double load_ms = std::chrono::duration<double, std::milli>(clock.now() - before).count();
    const backends::Executable& executable = model.executable();
    const backends::Plan& plan = executable.plan();
    const char* wanted = plan.find_output("logits") != nullptr ? "logits" : "embedding";
    const auto output = static_cast<size_t>(plan.find_output(wanted) - plan.outputs.data());
    const eval::Run common = start_run("bench", model, options.run, threads);
    for (const int64_t batch : options.batches) {
      if (!globals.quiet)
        fmt::print(stderr, "swinzoo: timing {}, batch {}, {} threads\n", name, batch, threads);
      const Tensor x = made_input(plan, batch);
      Tensor result(DType::kF32, plan.output_shape(plan.outputs[output], batch));
      const backends::OutputBinding binding{output, result.as<float>()};
      const eval::Samples samples =
          eval::measure([&] { executable.run(x.view(), std::span(&binding, 1)); }, options.loop, clock);
      eval::Run run = common;
      set_timing(run, samples, batch, eval::count(plan).macs_each_run);
      run.load_ms = load_ms;
      log.add(std::move(run));
    }
  }
}

int run(const Options& options, const Globals& globals) {
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
  add_model_options(app, options->run, false);
  add_run_output_options(app, options->output);
  return [options](const Globals& globals) {
    if (options->iterations > 0) options->loop.iterations = options->iterations;
    if (options->loop.warmup == 0) options->loop.warmup_seconds = 0;
    return run(*options, globals);
  };
}

}  // namespace swinzoo::cmd
