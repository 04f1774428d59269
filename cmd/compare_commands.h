// Commands that are measured now, by turns, and compared.
#pragma once

#include <string>
#include <vector>

#include "eval/compare_slices.h"
#include "eval/comparison.h"

namespace swinzoo::cmd {

struct CommandsToCompare {
  std::vector<std::string> commands;   // base's first; each is split into words
  std::vector<std::string> arguments;  // added to each
  eval::SliceOptions slices;           // seconds: of a configuration and new side
};

// Runs them again and again, each time as a process of its own:
//   `swinzoo bench ...`  for slices of some calls; what they print as JSON is compared
//   `swinzoo eval ...`   once each, as accuracy doesn't vary
//   anything else        the time from the process's start to its end, and its memory where that can be told
// Throws kUsage for fewer than two commands and for a bench or eval with -o, kFailed with what a command said
// where it fails, kInterrupted at SIGINT and SIGTERM, which end the command too.
eval::Comparison compare_commands(const CommandsToCompare& commands, const eval::Rules& rules, bool quiet);

}  // namespace swinzoo::cmd
