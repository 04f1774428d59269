#include "cmd/compare_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <initializer_list>
#include <string_view>

#include "cmd/interrupt.h"
#include "cmd/progress.h"
#include "eval/compare_runs.h"
#include "eval/run.h"
#include "eval/run_command.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

using Words = std::vector<std::string>;

constexpr double kSliceSeconds = 0.1;  // of timed calls
constexpr double kLongCallMs = 10;     // a call from which on a slice is counted in calls, not in seconds

bool has(const Words& words, std::initializer_list<std::string_view> wanted) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return std::find(wanted.begin(), wanted.end(), word.substr(0, word.find('='))) != wanted.end();
  });
}

void add(Words& words, std::initializer_list<std::string> more) { words.insert(words.end(), more); }

// With -o, bench and eval take what lies in the file already for done, so that a side would be given another
// one's results.
void refuse_output(const Words& words) {
  if (!has(words, {"bench", "eval"})) return;
  const auto names_output = [](std::string_view word) {
    return word.starts_with("-o") || word.starts_with("-qo") || word.substr(0, word.find('=')) == "--output";
  };
  const auto found = std::find_if(words.begin(), words.end(), names_output);
  if (found == words.end()) return;
  fail(ErrorCode::kUsage,
       "{}: {}: a command to compare can't write to a file, since bench and eval don't measure again what "
       "they find there; compare reads what they print",
       fmt::join(words, " "), *found);
}

// Whether a bench's words say how long to time.
bool sets_effort(const Words& words) {
  return has(words, {"--seconds", "--iterations", "--target-error", "--max-seconds"});
}

bool is_good(const eval::CommandResult& result) { return result.status == 0; }

// An evaluation that left images out ends with a status of its own, and says its results all the same.
bool is_good_of_eval(const eval::CommandResult& result) {
  return is_good(result) || (result.status == static_cast<int>(ErrorCode::kCorrupt) && !result.out.empty());
}

eval::CommandResult run_or_throw(const Words& words,
                                 bool (*is_expected)(const eval::CommandResult&) = &is_good) {
  if (interrupted()) fail(ErrorCode::kInterrupted, "interrupted");
  eval::CommandResult result = eval::run_command(words, &interrupted);
  if (interrupted()) fail(ErrorCode::kInterrupted, "interrupted");
  if (!is_expected(result)) {
    fail(
        ErrorCode::kFailed, "{}: exit status {}: {}", fmt::join(words, " "), result.status,
        result.err.empty() ? "it said nothing" : result.err.substr(0, result.err.find_last_not_of('\n') + 1));
  }
  return result;
}

// Names of images may be any bytes, as in files of results.
std::vector<eval::Run> runs_in(const eval::CommandResult& result, const Words& words) {
  const std::string where = fmt::format("what {} printed", words.front());
  return eval::runs_of(parse_json(result.out, where, JsonText::kAnyBytes), where);
}

std::vector<eval::Run> results_of(const Words& words) { return runs_in(run_or_throw(words), words); }

double longest_call_ms(const std::vector<eval::Run>& runs) {
  double longest = 0;
  for (const eval::Run& run : runs) longest = std::max(longest, run.median_ms.value_or(0));
  return longest;
}

// Makes of a bench's words those of a slice. Returns the number of configurations.
size_t shorten(std::vector<Words>& commands) {
  for (Words& words : commands) {
    if (!has(words, {"--format", "--json"})) add(words, {"--format", "json"});
    if (!has(words, {"-q", "--quiet"})) add(words, {"-q"});
    if (!has(words, {"--warmup"})) add(words, {"--warmup", "0"});
  }
  double longest = 0;
  size_t configurations = 0;
  for (const Words& words : commands) {
    Words first = words;
    if (!sets_effort(words)) add(first, {"--iterations", "3"});
    const std::vector<eval::Run> runs = results_of(first);
    longest = std::max(longest, longest_call_ms(runs));
    configurations = runs.size();
  }
  for (Words& words : commands) {
    if (sets_effort(words)) continue;
    if (longest <= kLongCallMs) {
      add(words, {"--seconds", fmt::format("{}", kSliceSeconds)});
    } else {
      const double calls = std::clamp(1000 * kSliceSeconds / longest, 3.0, 10.0);
      add(words, {"--iterations", fmt::format("{:.0f}", calls)});
    }
  }
  return configurations;
}

// Whether the commands' memory can be told: see CommandResult. Runs each once, which warms the caches of
// files too.
bool tell_memory(const std::vector<Words>& commands) {
  return std::ranges::all_of(commands, [](const Words& words) {
    const eval::CommandResult result = run_or_throw(words);
    return result.peak_memory_mb > result.own_memory_mb;
  });
}

// A process as if it were one call of a bench.
std::vector<eval::Run> time_process(const Words& words, bool with_memory) {
  const eval::CommandResult result = run_or_throw(words);
  eval::Run run;
  run.kind = "bench";
  run.model = "process";
  run.median_ms = 1000 * result.seconds;
  if (with_memory) run.peak_memory_mb = result.peak_memory_mb;
  return {run};
}

eval::Comparison compare_once(const std::vector<std::string>& names, std::vector<Words> commands,
                              const eval::Rules& rules, const eval::BootstrapOptions& options) {
  std::vector<eval::ComparedSide> sides;
  for (size_t i = 0; i < commands.size(); ++i) {
    if (!has(commands[i], {"--format", "--json"})) add(commands[i], {"--format", "json"});
    if (!has(commands[i], {"--samples"})) add(commands[i], {"--samples"});
    sides.push_back({names[i], runs_in(run_or_throw(commands[i], &is_good_of_eval), commands[i])});
  }
  return compare_runs(sides.front(), std::span(sides).subspan(1), rules, options);
}

}  // namespace

eval::Comparison compare_commands(const CommandsToCompare& commands, const eval::Rules& rules, bool quiet) {
  if (commands.commands.size() < 2) fail(ErrorCode::kUsage, "expected two --run or more, found one");
  std::vector<Words> lines;
  for (const std::string& command : commands.commands) {
    Words& words = lines.emplace_back(eval::words_of(command));
    words.insert(words.end(), commands.arguments.begin(), commands.arguments.end());
    refuse_output(words);
  }
  install_interrupt_handler();
  install_interrupt_handler(SIGTERM);  // which would leave the command behind
  if (has(lines.front(), {"eval"}))
    return compare_once(commands.commands, std::move(lines), rules, commands.slices.bootstrap);

  eval::SteadyClock clock;
  const auto start = clock.now();
  const auto elapsed = [&] { return std::chrono::duration<double>(clock.now() - start).count(); };
  const bool is_bench = has(lines.front(), {"bench"});
  eval::SliceOptions slices = commands.slices;
  const size_t configurations = is_bench ? shorten(lines) : 1;
  const bool with_memory = !is_bench && tell_memory(lines);
  slices.seconds *= static_cast<double>(configurations * (lines.size() - 1));
  const double most = slices.seconds;
  slices.seconds = std::max(0.0, most - elapsed());
  Progress progress("seconds at most", std::llround(most), Unit::kCount, quiet);
  const eval::TakeSlice take = [&](size_t side) {
    progress.update(std::min(std::llround(elapsed()), std::llround(most)), "");
    return is_bench ? results_of(lines[side]) : time_process(lines[side], with_memory);
  };
  return compare_slices(commands.commands, take, clock, rules, slices);
}

}  // namespace swinzoo::cmd
