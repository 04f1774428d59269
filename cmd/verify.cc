// swinzoo verify: whether a model's weights are what its file says, and whether it computes what it should.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "cmd/command.h"
#include "cmd/model_options.h"
#include "cmd/options.h"
#include "cmd/verify_catalog.h"
#include "eval/compare_outputs.h"
#include "eval/compare_precision.h"
#include "eval/input_tensor.h"
#include "eval/machine.h"
#include "eval/text_table.h"
#include "formats/error.h"
#include "zoo/check_digests.h"
#include "zoo/compare_weights.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::string model;
  bool catalog = false;
  bool run = false;
  std::string only;
  std::string against;
  std::string golden;
  std::string backend = "cpu";
  backends::Precision precision = backends::Precision::kFp32;
  std::string input;
  uint32_t seed = 1;
  zoo::SpecHints hints;
  bool seeded = false;      // --seed is there
  double tolerance = 1e-4;  // what the project promises of every output, as a share of its abs max
  int threads = 0;
  bool json = false;
};

// What was found, in the forms that it is printed in.
struct Report {
  json::object result;
  std::string text;
  std::vector<std::string> faults;  // the first of each check; none where all is well

  template <typename... Args>
  void line(const char* name, fmt::format_string<Args...> format, Args&&... args) {
    text += fmt::format("  {:<11} {}\n", name, fmt::format(format, std::forward<Args>(args)...));
  }
};

// Weights in memory, and the plan that gives every step's result.
class Loaded {
 public:
  explicit Loaded(const zoo::MatchedModel& model)
      : plan_(eval::with_step_outputs(model.plan)),
        weights_(model.plan, *model.opened.checkpoint, model.match) {}

  std::unique_ptr<backends::Executable> on(std::string_view backend, int threads,
                                           backends::Precision precision = backends::Precision::kFp32) const {
    return backends::find_backend(backend).load(plan_, weights_.views(),
                                                {.threads = threads, .precision = precision});
  }

 private:
  backends::Plan plan_;
  zoo::Weights weights_;
};

zoo::MatchedModel open(const std::string& name, const zoo::Catalog& catalog, const zoo::SpecHints& hints) {
  zoo::MatchedModel model = zoo::match_model(zoo::open_model(name, catalog, hints));
  zoo::require_fit(model.match, model.opened.origin);
  return model;
}

json::object to_json(const eval::OutputError& error) {
  return {{"relative", error.relative()},
          {"max_abs_error", error.max_abs},
          {"abs_max", error.abs_max},
          {"not_finite", error.not_finite}};
}

std::string text_of(const eval::OutputError& error) {
  return fmt::format("{:.3g} x abs max ({:.4g} of {:.4g})", error.relative(), error.max_abs, error.abs_max);
}

// The steps that use a weight: one, but where a model shares it.
std::vector<std::string> steps_of(const backends::Plan& plan, const std::string& weight) {
  std::vector<std::string> steps;
  for (const backends::Step& step : plan.steps) {
    const bool uses = std::ranges::any_of(step.ops, [&](const backends::Op& op) {
      return std::ranges::any_of(
          op.weights, [&](auto id) { return id != backends::kNone && plan.weight(id).name == weight; });
    });
    if (uses) steps.push_back(step.name);
  }
  return steps;
}

void check_digests(const zoo::MatchedModel& model, Report& report) {
  const zoo::DigestCheck check = zoo::check_digests(model);
  const std::string_view format = model.opened.checkpoint->format();
  const std::string_view checksums = zoo::checksums_of(format);
  report.line("origin", "{}", model.opened.origin);
  report.line("format", "{}, layout {}", format, model.match.layout);
  report.line("tensors", "{}, all read{}{}", check.tensors, checksums.empty() ? "" : "; checked was ",
              checksums);
  if (check.carried == 0) {
    report.line("digests", "the file carries none to compare with");
  } else {
    const auto weights = std::ssize(model.plan.weights);
    report.line("digests", "{} of {} agree", weights - std::ssize(check.mismatches), weights);
  }
  json::array mismatches;
  for (const zoo::DigestMismatch& mismatch : check.mismatches) {
    const auto steps = steps_of(model.plan, mismatch.weight);
    report.line("", "{} (step {}): the file says {}, it is {}", mismatch.weight, fmt::join(steps, ", "),
                mismatch.carried.empty() ? "nothing" : mismatch.carried, mismatch.found);
    mismatches.push_back(json::object{{"name", mismatch.weight},
                                      {"steps", json::array(steps.begin(), steps.end())},
                                      {"carried", mismatch.carried},
                                      {"found", mismatch.found}});
  }
  report.line("weights", "sha256:{}", check.weights_digest);
  report.result["origin"] = model.opened.origin;
  report.result["format"] = format;
  report.result["layout"] = model.match.layout;
  report.result["tensors"] = check.tensors;
  report.result["checksums"] = checksums.empty() ? json::value(nullptr) : json::value(checksums);
  report.result["digests"] = {{"carried", check.carried}, {"mismatches", std::move(mismatches)}};
  report.result["weights_digest"] = check.weights_digest;
  if (!check.mismatches.empty()) {
    report.faults.push_back(fmt::format("{} of {} digests don't agree with the tensors, first that of {}",
                                        check.mismatches.size(), model.plan.weights.size(),
                                        check.mismatches.front().weight));
  }
}

// The input that all outputs are computed from.
Tensor input_of(const Options& options, const backends::Plan& plan) {
  if (!options.input.empty()) return eval::read_input_tensor(options.input);
  return eval::seeded_input(plan.input_shape(1), options.seed);
}

void add_steps(const std::vector<eval::StepError>& steps, const Options& options, bool verbose,
               Report& report) {
  const eval::StepError* first = eval::first_divergence(steps, options.tolerance);
  const auto kind = [](const eval::StepError& step) { return step.attention ? "attention" : "result"; };
  const auto worst =
      std::ranges::max_element(steps, {}, [](const eval::StepError& step) { return step.error.relative(); });
  if (worst->error.max_abs == 0) {
    report.line("steps", "all {} are equal", steps.size());
  } else if (first == nullptr) {
    report.line("steps", "all agree within {:g} x abs max; farthest off is {} ({}): {}", options.tolerance,
                worst->step, kind(*worst), text_of(worst->error));
  } else {
    report.line("steps", "the first that diverges is {} ({}): {}", first->step, kind(*first),
                text_of(first->error));
    report.faults.push_back(fmt::format("step {} diverges from {} by {:.3g} x abs max; {:g} is allowed",
                                        first->step, options.against, first->error.relative(),
                                        options.tolerance));
  }
  json::array rows;
  eval::TextTable table({{"step"},
                         {"what"},
                         {"error / abs max", eval::Align::kRight},
                         {"max abs error", eval::Align::kRight},
                         {"abs max", eval::Align::kRight}});
  for (const eval::StepError& step : steps) {
    json::object row = to_json(step.error);
    row["step"] = step.step;
    row["what"] = kind(step);
    rows.push_back(std::move(row));
    table.add({step.step, kind(step), fmt::format("{:.3g}", step.error.relative()),
               fmt::format("{:.4g}", step.error.max_abs), fmt::format("{:.4g}", step.error.abs_max)});
  }
  if (verbose) report.text += "\n" + table.text();
  report.result["against"] = options.against;
  report.result["tolerance"] = options.tolerance;
  report.result["first_divergence"] = first == nullptr ? json::value(nullptr) : json::value(first->step);
  report.result["steps"] = std::move(rows);
}

void add_weights(const zoo::WeightComparison& comparison, const backends::Plan& plan, Report& report) {
  constexpr size_t kMostListed = 20;  // in the text; JSON has all
  report.line("its weights", "{}", zoo::text_of(comparison.verdict));
  json::array different;
  for (const zoo::DifferentTensor& tensor : comparison.different) {
    const auto steps = steps_of(plan, tensor.name);
    if (different.size() < kMostListed) {
      report.line("", "{} (step {}) differs in {} of {} elements, by up to {:.4g}", tensor.name,
                  fmt::join(steps, ", "), tensor.elements.different, element_count(tensor.shape),
                  tensor.elements.max_abs);
    }
    different.push_back(json::object{{"name", tensor.name},
                                     {"steps", json::array(steps.begin(), steps.end())},
                                     {"different", tensor.elements.different},
                                     {"not_finite", tensor.elements.not_finite},
                                     {"max_abs_difference", tensor.elements.max_abs}});
  }
  if (different.size() > kMostListed) report.line("", "and {} more", different.size() - kMostListed);
  report.result["verdict"] = zoo::text_of(comparison.verdict);
  report.result["different"] = std::move(different);
}

void compare_with_reference(const zoo::MatchedModel& model, const Options& options, bool verbose,
                            Report& report) {
  const Loaded loaded(model);
  const auto steps =
      eval::compare_steps(*loaded.on("reference", options.threads), *loaded.on("cpu", options.threads),
                          input_of(options, model.plan).view());
  add_steps(steps, options, verbose, report);
}

void compare_with_model(const zoo::MatchedModel& model, const zoo::MatchedModel& other,
                        const Options& options, bool verbose, Report& report) {
  add_weights(zoo::compare_weights(model, other), model.plan, report);
  const Loaded expected(other), found(model);
  const auto steps =
      eval::compare_steps(*expected.on("cpu", options.threads), *found.on("cpu", options.threads),
                          input_of(options, model.plan).view());
  add_steps(steps, options, verbose, report);
}

// Adds rows of one backend; returns the first fault, or nothing.
std::string add_golden(const std::string& backend, const eval::GoldenComparison& comparison, double tolerance,
                       json::array& results, eval::TextTable& table) {
  std::string fault;
  for (const eval::GoldenOutput& output : comparison.outputs) {
    const double error = output.error.relative();
    std::string wrong = output.mismatch;
    if (wrong.empty() && error > tolerance) {
      wrong = fmt::format("off by {:.3g} x abs max; {:g} is allowed", error, tolerance);
    }
    if (fault.empty() && !wrong.empty()) fault = fmt::format("{} on {}: {}", output.name, backend, wrong);
    json::object row = {{"backend", backend}, {"output", output.name}};
    if (output.mismatch.empty()) {
      for (const auto& member : to_json(output.error)) row.insert(member);
      table.add({output.name, backend, fmt::format("{:.3g}", error),
                 fmt::format("{:.4g}", output.error.max_abs), fmt::format("{:.4g}", output.error.abs_max)});
    } else {
      row["mismatch"] = output.mismatch;
      table.add({output.name, backend, output.mismatch, "-", "-"});
    }
    results.push_back(std::move(row));
  }
  return fault;
}

void compare_with_golden(const zoo::MatchedModel& model, const Options& options, Report& report) {
  const std::filesystem::path folder = options.golden;
  const Tensor x = eval::read_input_tensor(folder / "input.safetensors");
  const std::filesystem::path file = folder / "expected.safetensors";
  const std::unique_ptr<Checkpoint> expected = open_checkpoint(file);
  const Loaded loaded(model);
  std::vector<std::string> backends = {options.backend};
  if (options.backend == "both") backends = {"cpu", "reference"};
  eval::TextTable table({{"output"},
                         {"backend"},
                         {"error / abs max", eval::Align::kRight},
                         {"max abs error", eval::Align::kRight},
                         {"abs max", eval::Align::kRight}});
  json::array results;
  std::vector<std::string> not_compared;
  for (const std::string& backend : backends) {
    const auto comparison = eval::compare_golden(*loaded.on(backend, options.threads), x.view(), *expected);
    const std::string fault = add_golden(backend, comparison, options.tolerance, results, table);
    if (!fault.empty()) report.faults.push_back(fault);
    not_compared = comparison.not_compared;
  }
  if (table.empty()) fail(ErrorCode::kNotFound, "{}: holds no output of a model", file.string());
  report.line("golden", "{}", options.golden);
  if (!not_compared.empty()) report.line("no outputs", "{}", fmt::join(not_compared, ", "));
  report.text += "\n" + table.text();
  report.result["golden"] = options.golden;
  report.result["tolerance"] = options.tolerance;
  report.result["outputs"] = std::move(results);
  report.result["not_compared"] = json::array(not_compared.begin(), not_compared.end());
}

void compare_with_fp32(const zoo::MatchedModel& model, const Options& options, Report& report) {
  constexpr uint32_t kInputs = 16;  // where none are given: of the seeds from --seed on
  const Loaded loaded(model);
  const auto lower = loaded.on(options.backend, options.threads, options.precision);
  const auto fp32 = loaded.on(options.backend, options.threads);
  eval::PrecisionComparison comparison;
  if (options.input.empty()) {
    for (uint32_t i = 0; i < kInputs; ++i) {
      const Tensor x = eval::seeded_input(model.plan.input_shape(1), options.seed + i);
      compare_precision(*fp32, *lower, x.view(), comparison);
    }
  } else {
    compare_precision(*fp32, *lower, eval::read_input_tensor(options.input).view(), comparison);
  }

  const std::string_view name = backends::name_of(options.precision);
  report.line("precision", "{} against fp32, on {} inputs; each output's largest error:", name,
              comparison.inputs);
  json::array outputs;
  for (const eval::NamedError& output : comparison.outputs) {
    report.line("", "{}: {}", output.output, text_of(output.error));
    json::object row = {{"output", output.output}};
    for (const auto& member : to_json(output.error)) row.insert(member);
    outputs.push_back(std::move(row));
  }
  if (comparison.flipped) report.line("top-1", "{} of {} flipped", *comparison.flipped, comparison.inputs);
  const eval::NamedError& judged = comparison.judged();
  if (judged.error.relative() > eval::kPrecisionTolerance) {
    report.faults.push_back(fmt::format("{}: {} is off by {:.3g} x abs max; {:g} is allowed", judged.output,
                                        name, judged.error.relative(), eval::kPrecisionTolerance));
  }
  report.result["precision"] = name;
  report.result["inputs"] = comparison.inputs;
  report.result["outputs"] = std::move(outputs);
  report.result["flipped_top1"] =
      comparison.flipped ? json::value(*comparison.flipped) : json::value(nullptr);
  report.result["tolerance"] = eval::kPrecisionTolerance;
}

// What is verified is either one model or the catalog.
void require_usage(const Options& options) {
  if (options.catalog && !options.model.empty()) {
    fail(ErrorCode::kUsage,
         "--catalog verifies all rows of the catalog and takes no MODEL, but '{}' is given; more rows come "
         "from the file in SWINZOO_CATALOG",
         options.model);
  }
  if (!options.catalog && options.model.empty()) fail(ErrorCode::kUsage, "name a MODEL, or --catalog");
  const bool runs = !options.against.empty() || options.precision != backends::Precision::kFp32;
  if (options.seeded && !options.run && !runs) {
    fail(ErrorCode::kUsage, "--seed needs --against, --precision bf16, or --catalog --run");
  }
  if (!options.input.empty() && !runs) {
    fail(ErrorCode::kUsage, "--input needs --against or --precision bf16");
  }
}

int run(Options options, const Globals& globals) {
  require_usage(options);
  if (options.threads == 0) options.threads = eval::available_cores();
  const char* more_entries = std::getenv("SWINZOO_CATALOG");
  const zoo::Catalog catalog = load_catalog(more_entries == nullptr ? "" : more_entries);
  if (options.catalog) {
    return verify_catalog({.only = options.only,
                           .run = options.run,
                           .seed = options.seed,
                           .tolerance = options.tolerance,
                           .threads = options.threads,
                           .json = options.json},
                          catalog, globals);
  }
  const zoo::MatchedModel model = open(options.model, catalog, options.hints);
  std::optional<zoo::MatchedModel> other;
  if (!options.against.empty() && options.against != "reference")
    other = open(options.against, catalog, options.hints);

  Report report;
  report.result["model"] = options.model;
  report.text = options.model + "\n";
  check_digests(model, report);
  if (!options.against.empty()) report.line("against", "{}", options.against);
  if (other) {
    compare_with_model(model, *other, options, globals.verbose, report);
  } else if (!options.against.empty()) {
    compare_with_reference(model, options, globals.verbose, report);
  } else if (!options.golden.empty()) {
    compare_with_golden(model, options, report);
  } else if (options.precision != backends::Precision::kFp32) {
    compare_with_fp32(model, options, report);
  }
  report.result["ok"] = report.faults.empty();
  if (options.json) {
    print_results({std::move(report.result)});
  } else {
    fmt::print("{}", report.text);
  }
  if (!report.faults.empty()) {
    fail(ErrorCode::kCorrupt, "{}: {}", options.model, fmt::join(report.faults, "; "));
  }
  return 0;
}

}  // namespace

Action setup_verify(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_hint_options(app, options->hints);
  app.add_option("model", options->model, "A catalog id, hf:OWNER/REPO in the cache, or a path")
      ->type_name("MODEL");
  auto* against = app.add_option("--against", options->against,
                                 "Compare every step: with the reference backend, or with another model's")
                      ->type_name("reference|MODEL");
  auto* golden = app.add_option("--golden", options->golden,
                                "Compare the outputs that expected.safetensors in DIR holds, computed from x "
                                "in its input.safetensors")
                     ->excludes(against)
                     ->type_name("DIR");
  app.add_option("--backend", options->backend, "What runs the model for --golden")
      ->check(one_of({"cpu", "reference", "both"}))
      ->needs(golden)
      ->type_name("cpu|reference|both")
      ->capture_default_str();
  auto* input = app.add_option("--input", options->input,
                               "Run on the tensor 'x' of a .safetensors, or on an .npy, already normalised")
                    ->type_name("FILE");
  auto* seed = app.add_option("--seed", options->seed, "Run on random numbers of this seed")
                   ->excludes(input)
                   ->type_name("N")
                   ->capture_default_str();
  auto* tolerance = app.add_option("--tolerance", options->tolerance,
                                   "The error that is allowed, as a share of the abs max")
                        ->check(in_range(0.0, 1e9))
                        ->type_name("SHARE")
                        ->capture_default_str();
  auto* catalog = app.add_flag("--catalog", options->catalog,
                               "Check the plan of every row of the catalog, without its files")
                      ->excludes(against)
                      ->excludes(golden);
  add_precision_option(app, options->precision,
                       "bf16: compare logits, embedding and features in it with those in fp32")
      ->excludes(against)
      ->excludes(golden)
      ->excludes(tolerance)
      ->excludes(catalog);
  app.add_flag("--run", options->run,
               "Run each architecture of the catalog once, with random weights, and compare with the "
               "reference backend")
      ->needs(catalog);
  app.add_option("--only", options->only, "Only rows with this in their id or their architecture's name")
      ->needs(catalog)
      ->type_name("TEXT");
  add_threads_option(app, options->threads);
  add_format_option(app, options->json);
  return [options, seed](const Globals& globals) {
    options->seeded = seed->count() > 0;
    return run(*options, globals);
  };
}

}  // namespace swinzoo::cmd
