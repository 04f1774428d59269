// swinzoo compare: is one result worse than another, and is that sure?
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "cmd/command.h"
#include "cmd/compare_commands.h"
#include "cmd/options.h"
#include "cmd/overwrite.h"
#include "cmd/project_file.h"
#include "eval/compare_runs.h"
#include "eval/comparison_writer.h"
#include "eval/history.h"
#include "eval/run_folder.h"
#include "formats/atomic_file.h"
#include "formats/error.h"

namespace fs = std::filesystem;

namespace swinzoo::cmd {
namespace {

struct Options {
  std::vector<std::string> words;  // results, or what commands are given
  std::vector<std::string> base;
  std::vector<std::string> commands;
  std::string history;
  std::optional<std::string> fail_on;
  std::optional<std::string> noise;
  std::optional<double> seconds;
  uint64_t seed = 1;
  bool across_machines = false;
  bool allow_inconclusive = false;
  std::string format = "text";
  std::vector<std::string> outputs;
};

const eval::ComparisonFormat& format_of_file(const std::string& path) {
  const std::string extension = fs::path(path).extension().string();
  for (const eval::ComparisonFormat& format : eval::comparison_formats()) {
    if (extension == format.extension) return format;
  }
  fail(ErrorCode::kUsage, "-o {}: expected a name that ends in .txt, .json, .md or .xml", path);
}

eval::Rules rules_of(const Options& options, const ProjectFile& project) {
  eval::Rules rules;
  if (options.fail_on.has_value()) {
    set_thresholds(rules, *options.fail_on, "--fail-on");
  } else {
    set_thresholds(rules, project.compare_fail_on.value_or(eval::kDefaultFailOn), project.path + ": fail-on");
  }
  if (options.noise.has_value()) {
    rules.noise = eval::parse_percent(*options.noise, "--noise");
  } else if (project.compare_noise.has_value()) {
    rules.noise = eval::parse_percent(*project.compare_noise, project.path + ": noise");
  }
  rules.across_machines = options.across_machines;
  return rules;
}

constexpr std::string_view kHistory = "history:";

void require_outputs_are_no_inputs(const Options& options) {
  std::vector<fs::path> inputs;
  for (const auto& given : {options.words, options.base}) {
    for (const std::string& path : given) {
      if (!path.starts_with(kHistory)) std::ranges::move(eval::run_files(path), std::back_inserter(inputs));
    }
  }
  for (const std::string& output : options.outputs) require_not_an_input(output, inputs);
}

// The results that a file or folder holds, those of evaluations in folders with their samples; or those of
// a commit in the history, of a baseline what stands nearest against `wanted` too.
std::vector<eval::Run> read_results(const std::string& path, const std::string& history,
                                    std::span<const eval::Run> wanted = {}) {
  if (path.starts_with(kHistory)) {
    return eval::runs_of_history(history_path(history), path.substr(kHistory.size()), wanted);
  }
  return eval::read_all_runs(path, eval::ReadSamples::kOfFolderToo);
}

eval::Comparison compare_results(const Options& options, const eval::Rules& rules) {
  if (options.words.size() < 2) {
    fail(ErrorCode::kUsage, "expected base's results and the new ones, or two --run, found {}",
         options.words.empty() ? "neither" : options.words.front());
  }
  std::vector<eval::ComparedSide> next;
  std::vector<eval::Run> wanted;
  for (size_t i = 1; i < options.words.size(); ++i) {
    next.push_back({options.words[i], read_results(options.words[i], options.history)});
    std::ranges::copy(next.back().runs, std::back_inserter(wanted));
  }
  eval::ComparedSide base{options.words.front(),
                          read_results(options.words.front(), options.history, wanted)};
  for (const std::string& more : options.base) {
    std::ranges::move(read_results(more, options.history, wanted), std::back_inserter(base.runs));
  }
  return compare_runs(base, next, rules, {.seed = options.seed});
}

int compare(const Options& options, const Globals& globals) {
  for (const std::string& output : options.outputs) format_of_file(output);
  const ProjectFile project = read_project_file(fs::current_path());
  const eval::Rules rules = rules_of(options, project);
  eval::Comparison comparison;
  if (options.commands.empty()) {
    require_outputs_are_no_inputs(options);
    comparison = compare_results(options, rules);
  } else {
    CommandsToCompare commands{options.commands, options.words, {}};
    commands.slices.seconds = options.seconds.value_or(project.compare_seconds.value_or(60));
    commands.slices.bootstrap.seed = options.seed;
    comparison = compare_commands(commands, rules, globals.quiet);
  }
  for (const std::string& output : options.outputs)
    write_file(output, format_of_file(output).write(comparison));
  const auto formats = eval::comparison_formats();
  const auto format = std::find_if(formats.begin(), formats.end(),
                                   [&](const auto& known) { return known.name == options.format; });
  fmt::print("{}", format->write(comparison));
  const int status = exit_status(comparison);
  const bool is_inconclusive = status == static_cast<int>(ErrorCode::kInconclusive);
  return is_inconclusive && options.allow_inconclusive ? 0 : status;
}

}  // namespace

Action setup_compare(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option(
         "result", options->words,
         "Base's results, then the new ones: files or folders that eval and bench wrote, history:COMMIT, "
         "history:baseline; with --run, "
         "what each command is given more")
      ->type_name("BASE.json NEW.json...");
  app.add_option("--base", options->base,
                 "More results of base, measured at other times: 3 in all tell the machine's noise")
      ->expected(1)
      ->allow_extra_args(false)  // so that a "--" behind it is left alone
      ->take_all()
      ->type_name("RUN.json");
  app.add_option("--run", options->commands,
                 "A command to measure now, by turns with the others; the first one is base")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all()
      ->type_name("COMMAND");
  add_history_option(app, options->history);
  app.add_option("--fail-on", options->fail_on, fmt::format("What fails (default: {})", eval::kDefaultFailOn))
      ->type_name("RULES");
  app.add_option("--noise", options->noise,
                 "How far results of the same thing lie apart, where base's own don't tell (default: 30%)")
      ->type_name("N%");
  app.add_option("--seconds", options->seconds,
                 "With --run: the longest that a configuration may take (default: 60)")
      ->check(in_range(1.0, 86400.0))
      ->type_name("S");
  app.add_option("--seed", options->seed, "Of the order of slices, and of the bootstrap")
      ->check(in_range<uint64_t>(0, UINT64_MAX))
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--across-machines", options->across_machines,
               "Judge speed although the machines or builds differ");
  app.add_flag("--allow-inconclusive", options->allow_inconclusive, "Exit 0 instead of 12");
  std::vector<std::string> names;
  for (const eval::ComparisonFormat& format : eval::comparison_formats()) names.emplace_back(format.name);
  app.add_option("--format", options->format, "How to print the comparison")
      ->check(one_of(names))
      ->type_name(fmt::format("{}", fmt::join(names, "|")))
      ->capture_default_str();
  app.add_flag_callback(
      "--json", [options] { options->format = "json"; }, "The same as --format json");
  app.add_option("-o,--output", options->outputs,
                 "Write it here too, in the form of the name's end; may be given several times")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all()
      ->type_name("FILE.txt|json|md|xml");
  return [options](const Globals& globals) { return compare(*options, globals); };
}

}  // namespace swinzoo::cmd
