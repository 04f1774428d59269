// swinzoo bench: how long a model takes for a batch, over batch sizes, threads, streams and precisions.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <set>

#include "cmd/bench_folder.h"
#include "cmd/bench_options.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/overwrite.h"
#include "eval/count.h"
#include "eval/machine.h"
#include "eval/model_bench.h"
#include "eval/profile.h"
#include "eval/run_folder.h"
#include "eval/warnings.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

class Bench {
 public:
  Bench(const BenchCommand& options, const Globals& globals)
      : options_(options),
        globals_(globals),
        catalog_(load_catalog(options.run.catalog)),
        log_(options.output) {
    if (eval::is_run_folder(options.output.file)) folder_.emplace(options.output.file);
    if (!options.images.empty()) images_.emplace(images_in(options.images));
  }

  int run() {
    const std::vector<std::string> models = models_of(options_, catalog_);
    std::vector<std::filesystem::path> inputs = files_of_models(models, catalog_);
    inputs.insert(inputs.end(), {options_.images, options_.run.catalog});
    require_not_an_input(options_.output.file, inputs);
    const std::vector<Configuration> configurations = configurations_of(options_);
    const bool is_only_one = models.size() * configurations.size() == 1;
    bool has_failed = false;
    for (const std::string& model : models) {
      for (const Configuration& configuration : configurations) {
        eval::Run run;
        try {
          run = measure(model, configuration);
        } catch (const Error& error) {
          if (is_only_one || error.code() == ErrorCode::kInterrupted) throw;
          run = failed(model, configuration, error.what());
        } catch (const std::bad_alloc&) {
          if (is_only_one) throw;
          run = failed(model, configuration, "not enough memory");
        } catch (const std::runtime_error& error) {  // oneTBB's, where the system gives no more threads
          if (is_only_one) throw;
          run = failed(model, configuration, error.what());
        }
        if (!run.error.empty()) {
          has_failed = true;
          say_once(fmt::format("error: {}: {}", model, run.error));
        }
        add(model, std::move(run));
      }
      loaded_.reset();
      checks_.clear();
    }
    log_.finish();
    return has_failed ? static_cast<int>(ErrorCode::kFailed) : 0;
  }

 private:
  // A model that is loaded, and what is known of its runs before they are timed.
  struct Loaded {
    LoadSetting setting;
    zoo::Model model;
    double load_ms = 0;
    double peak_mb = 0;  // of loading
    eval::Run started = {};
    eval::Roof roof = {};
  };

  void add(const std::string& model, eval::Run run) {
    try {
      if (folder_) folder_->add(model, run);
    } catch (const Error& error) {  // of a damaged file, which is why the run failed and says so
      if (run.error.empty() || error.code() != ErrorCode::kCorrupt) throw;
    }
    log_.add_finished(std::move(run));
  }

  void note(const std::string& text) const {
    if (!globals_.quiet) fmt::print(stderr, "swinzoo: {}\n", text);
  }

  // What is true of many configurations is said of the first.
  void say_once(const std::string& text) {
    if (said_.insert(text).second) fmt::print(stderr, "swinzoo: {}\n", text);
  }

  ModelOptions model_options(const LoadSetting& setting) const {
    ModelOptions options = options_.run;
    options.precision = setting.precision;
    options.streams = setting.streams;
    return options;
  }

  // The model, loaded anew unless it is loaded so already.
  const Loaded& load(const std::string& name, const LoadSetting& setting) {
    if (loaded_ && loaded_->setting == setting) return *loaded_;
    loaded_.reset();
    eval::reset_peak_memory();
    const ModelOptions options = model_options(setting);
    const auto before = clock_.now();
    zoo::Model model = load_model(name, catalog_, options, setting.threads, globals_);
    const std::chrono::duration<double, std::milli> load_time = clock_.now() - before;
    const double peak_mb = eval::peak_memory_mb().value_or(0);
    // More threads than cores can do no more.
    const int roof_threads = std::min(setting.threads, eval::available_cores());
    const eval::Roof roof = eval::roof_of(model.executable().isa(), roof_threads);
    require_images_fit(model.spec(), name);
    Loaded& loaded = loaded_.emplace(Loaded{setting, std::move(model), load_time.count(), peak_mb});
    loaded.started = start_run("bench", loaded.model, options, setting.threads);
    loaded.roof = roof;
    return loaded;
  }

  void require_images_fit(const zoo::ModelSpec& spec, const std::string& name) const {
    if (!images_ || (spec.dimensions.frames == 0 && spec.dimensions.in_chans == 3)) return;
    fail(ErrorCode::kUnsupported, "{}: --with-preprocessing reads images, which the model does not take",
         name);
  }

  eval::Run measure(const std::string& name, const Configuration& configuration) {
    const Loaded& loaded = load(name, configuration.load);
    const backends::Executable& executable = loaded.model.executable();
    eval::Run run = with_options(loaded.started, configuration);
    if (folder_) {
      if (auto before = folder_->find(name, run, options_.loop)) {
        note(fmt::format("{}, {}: measured before by this commit on this machine", name,
                         to_text(configuration)));
        return std::move(*before);
      }
    }
    note(fmt::format("timing {}, {}", name, to_text(configuration)));
    eval::reset_peak_memory();
    std::optional<eval::BenchImages> images;
    if (images_) images.emplace(eval::BenchImages{*images_, loaded.model.spec()});
    const eval::ModelCalls calls{.executable = executable,
                                 .check = checks_[configuration.load.precision],
                                 .batch = configuration.batch,
                                 .streams = configuration.load.streams,
                                 .threads_of_stream = configuration.load.threads / configuration.load.streams,
                                 .images = images ? &*images : nullptr};
    const eval::ModelSamples timed = options_.profile ? eval::time_steps(calls, options_.loop, clock_)
                                                      : eval::time_model(calls, options_.loop, clock_);
    const int64_t macs = eval::count(executable.plan()).macs_each_run;
    set_timing(run, timed.samples, configuration.batch, macs);
    set_disturbance(run, timed.disturbance);
    if (options_.profile) {
      run.profile = eval::profile_of(executable.plan(), configuration.batch, timed.steps, loaded.roof);
    }
    run.output_digest = timed.output_digest;
    run.load_ms = loaded.load_ms;
    run.roof_share = 100 * 2 * run.gmacs_per_second.value_or(0) / loaded.roof.gflops_per_second;
    if (const auto peak = eval::peak_memory_mb()) run.peak_memory_mb = std::max(*peak, loaded.peak_mb);
    run.warnings = warnings_of(run, options_.loop.target_error);
    for (const std::string& warning : run.warnings) {
      if (!globals_.quiet) say_once(fmt::format("warning: {}: {}", name, warning));
    }
    return run;
  }

  eval::Run with_options(eval::Run run, const Configuration& configuration) const {
    run.started_at = eval::utc_text(std::chrono::system_clock::now());
    run.batch = configuration.batch;
    run.pinned = options_.run.pin;
    run.profiled = options_.profile;
    run.with_preprocessing = options_.images;
    return run;
  }

  eval::Run failed(const std::string& name, const Configuration& configuration,
                   const std::string& why) const {
    eval::Run run;
    if (loaded_ && loaded_->setting == configuration.load) {
      run = loaded_->started;
    } else {
      run.kind = "bench";
      run.model = name;
      run.backend = options_.run.backend;
      run.precision = backends::name_of(configuration.load.precision);
      run.threads = configuration.load.threads;
      run.streams = configuration.load.streams;
      set_machine(run, eval::this_machine());
    }
    run.error = why;
    return with_options(std::move(run), configuration);
  }

  const BenchCommand& options_;
  const Globals& globals_;
  zoo::Catalog catalog_;
  RunLog log_;
  std::optional<BenchFolder> folder_;
  std::optional<eval::ImageSource> images_;
  eval::SteadyClock clock_;
  std::optional<Loaded> loaded_;
  std::map<backends::Precision, eval::OutputCheck> checks_;  // of the model that is timed
  std::set<std::string> said_;
};

}  // namespace

Action setup_bench(CLI::App& app) {
  const auto options = std::make_shared<BenchCommand>();
  add_bench_options(app, *options);
  return [options](const Globals& globals) { return Bench(*options, globals).run(); };
}

}  // namespace swinzoo::cmd
