#include "cmd/compare_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
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

// Whether a bench's words say how long to time.
bool sets_effort(const Words& words) {
  return has(words, {"--seconds", "--iterations", "--target-error", "--max-seconds"});
}

eval::CommandResult run_or_throw(const Words& words) {
  if (interrupted()) fail(ErrorCode::kInterrupted, "interrupted");
  eval::CommandResult result = eval::run_command(words);
  if (interrupted()) fail(ErrorCode::kInterrupted, "interrupted");
  if (result.status != 0) {
    fail(
        ErrorCode::kFailed, "{}: exit status {}: {}", fmt::join(words, " "), result.status,
        result.err.empty() ? "it said nothing" : result.err.substr(0, result.err.find_last_not_of('\n') + 1));
  }
  return result;
}

std::vector<eval::Run> results_of(const Words& words) {
  const std::string where = fmt::format("what {} printed", words.front());
  return eval::runs_of(parse_json(run_or_throw(words).out, where), where);
}

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

// A process as if it were one call of a bench.
std::vector<eval::Run> time_process(const Words& words) {
  const eval::CommandResult result = run_or_throw(words);
  eval::Run run;
  run.kind = "bench";
  run.model = "process";
  run.median_ms = 1000 * result.seconds;
  run.peak_memory_mb = result.peak_memory_mb;
  return {run};
}

eval::Comparison compare_once(const std::vector<std::string>& names, std::vector<Words> commands,
                              const eval::Rules& rules, const eval::BootstrapOptions& options) {
  std::vector<eval::ComparedSide> sides;
  for (size_t i = 0; i < commands.size(); ++i) {
    if (!has(commands[i], {"--format", "--json"})) add(commands[i], {"--format", "json"});
    if (!has(commands[i], {"--samples"})) add(commands[i], {"--samples"});
    sides.push_back({names[i], results_of(commands[i])});
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
  }
  install_interrupt_handler();
  if (has(lines.front(), {"eval"}))
    return compare_once(commands.commands, std::move(lines), rules, commands.slices.bootstrap);

  eval::SteadyClock clock;
  const auto start = clock.now();
  const auto elapsed = [&] { return std::chrono::duration<double>(clock.now() - start).count(); };
  const bool is_bench = has(lines.front(), {"bench"});
  eval::SliceOptions slices = commands.slices;
  const size_t configurations = is_bench ? shorten(lines) : 1;
  slices.seconds *= static_cast<double>(configurations * (lines.size() - 1));
  const double most = slices.seconds;
  slices.seconds = std::max(0.0, most - elapsed());
  Progress progress("seconds at most", std::llround(most), Unit::kCount, quiet);
  const eval::TakeSlice take = [&](size_t side) {
    progress.update(std::min(std::llround(elapsed()), std::llround(most)), "");
    return is_bench ? results_of(lines[side]) : time_process(lines[side]);
  };
  return compare_slices(commands.commands, take, clock, rules, slices);
}

}  // namespace swinzoo::cmd
