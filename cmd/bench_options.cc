#include "cmd/bench_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cmd/options.h"
#include "eval/image_folder.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

std::vector<int> numbers_of(const std::vector<std::string>& lists, const char* option, int most) {
  return parse_numbers(fmt::format("{}", fmt::join(lists, ",")), option, most);
}

Sweep sweep_of(const BenchCommand& options) {
  Sweep sweep;
  sweep.mode = options.mode;
  sweep.threads = {threads_of(options.run)};
  if (!options.threads.empty()) sweep.threads = numbers_of(options.threads, "--threads", 4096);
  if (!options.streams.empty()) sweep.streams = numbers_of(options.streams, "--streams", 4096);
  if (!options.batches.empty()) sweep.batches = numbers_of(options.batches, "--batch", 65536);
  if (!options.precisions.empty()) {
    sweep.precisions.clear();
    for (const std::string& name : options.precisions) {
      const backends::Precision precision = precision_of(name);
      if (std::ranges::find(sweep.precisions, precision) == sweep.precisions.end())
        sweep.precisions.push_back(precision);
    }
  }
  return sweep;
}

void add_sweep_options(CLI::App& app, BenchCommand& options) {
  const auto add_list = [&](const char* name, std::vector<std::string>& list, const char* about,
                            const char* value) {
    return app.add_option(name, list, about)->expected(1)->take_all()->type_name(value);
  };
  constexpr const char* kNumbers = "N[,N-N,...]";
  add_list("-b,--batch", options.batches, "Batch sizes: 1,8 or 1-4 or 1-9+2 or 1-64*2; each a configuration",
           kNumbers)
      ->default_str("1");
  add_list("--threads", options.threads,
           "Numbers of threads, each a configuration (default: the cores that there are)", kNumbers);
  add_list("--streams", options.streams,
           "Calls at the same time, that share the threads (default: as --mode gives)", kNumbers);
  add_list("--precision", options.precisions,
           "What the products are computed in; both, by a comma, are two configurations", "fp32|bf16")
      ->delimiter(',')
      ->check(one_of({"fp32", "bf16"}))
      ->default_str("fp32");
  app.add_option_function<std::string>(
         "--mode",
         [&options](const std::string& name) {
           options.mode = name == "throughput" ? Mode::kThroughput : Mode::kLatency;
         },
         "One stream on all threads, or several of few threads")
      ->check(one_of({"latency", "throughput"}))
      ->type_name("latency|throughput")
      ->default_str("latency");
}

void add_loop_options(CLI::App& app, BenchCommand& options) {
  eval::BenchOptions& loop = options.loop;
  loop.seconds = 0.5;
  loop.target_error = 1;
  loop.stable_percent = 2;
  const auto target = app.add_option_function<double>(
                             "--target-error", [&loop](double percent) { loop.target_error = percent; },
                             "Time calls until the median is known so well (half its 95% interval)")
                          ->check(in_range(0.0, 100.0))
                          ->type_name("PERCENT")
                          ->default_str("1");
  const auto most = app.add_option("--max-seconds", loop.most_seconds,
                                   "... but no longer than this, once 10 calls and 0.5 s are timed")
                        ->check(in_range(0.001, 86400.0))
                        ->type_name("S")
                        ->capture_default_str();
  const auto seconds = app.add_option_function<double>(
                              "--seconds",
                              [&loop](double time) {
                                loop.seconds = time;
                                loop.target_error.reset();
                              },
                              "Time calls for so long instead; at least 10 are made")
                           ->check(in_range(0.0, 86400.0))
                           ->type_name("S")
                           ->excludes(target)
                           ->excludes(most);
  app.add_option_function<int64_t>(
         "--iterations",
         [&loop](int64_t count) {
           loop.iterations = count;
           loop.target_error.reset();
         },
         "Time so many calls instead")
      ->check(in_range(int64_t{1}, eval::kMostIterations))
      ->type_name("N")
      ->excludes(target)
      ->excludes(most)
      ->excludes(seconds);
  app.add_option_function<int64_t>(
         "--warmup",
         [&loop](int64_t count) {
           loop.warmup = count;
           loop.stable_percent.reset();
           if (count == 0) loop.warmup_seconds = 0;
         },
         "Untimed calls first, for half a second at least; 0: none (default: until times are stable)")
      ->check(in_range(int64_t{0}, eval::kMostIterations))
      ->type_name("N");
}

}  // namespace

void add_bench_options(CLI::App& app, BenchCommand& options) {
  app.add_option("model", options.models, "Catalog ids, hf:OWNER/REPO in the cache, or paths")
      ->type_name("MODEL");
  app.add_option("--collection", options.collection,
                 "All entries of a collection of the catalog, such as sayakpaul/swin/1")
      ->type_name("COLLECTION");
  add_sweep_options(app, options);
  add_loop_options(app, options);
  const auto profile = app.add_flag("--profile", options.profile,
                                    "Where the time goes, by step: with MACs, bytes and the share of the "
                                    "machine's roof; kept apart from other results");
  app.add_option(
         "--with-preprocessing", options.images,
         "Time decoding and preparing images too, from the file to the logits: a file or a folder of them")
      ->type_name("PATH")
      ->excludes(profile);
  app.add_flag("--pin", options.run.pin, "Bind each thread to a processor, each stream to its own");
  add_loading_options(app, options.run);
  add_run_output_options(app, options.output);
  app.get_option("--output")
      ->description("Write JSON results here; in a folder, runs/, what it has already is not measured again")
      ->type_name("FILE.json|DIR/");
}

std::vector<Configuration> configurations_of(const BenchCommand& options) {
  const std::vector<Configuration> found = configurations_of(sweep_of(options));
  if (found.empty())
    fail(ErrorCode::kUsage, "--streams share the threads, so there must be as many --threads");
  const auto has_streams = [](const Configuration& each) { return each.load.streams > 1; };
  if (options.profile && std::ranges::any_of(found, has_streams)) {
    fail(ErrorCode::kUsage, "--profile times the steps of one call at a time, so it takes no --streams");
  }
  return found;
}

std::vector<std::string> models_of(const BenchCommand& options, const zoo::Catalog& catalog) {
  std::vector<std::string> models = with_collection(options.models, options.collection, catalog);
  if (models.empty()) fail(ErrorCode::kUsage, "bench: name what to time: MODEL... or --collection");
  return models;
}

eval::ImageSource images_in(const std::string& path) {
  const std::filesystem::path file(path);
  if (!eval::is_image_name(file)) return eval::ImageSource::all_in(file);
  return eval::ImageSource::listed(file.has_parent_path() ? file.parent_path() : ".", {file.filename()});
}

}  // namespace swinzoo::cmd
