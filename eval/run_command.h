// Other programs, run and waited for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swinzoo::eval {

struct CommandResult {
  int status = 0;  // the exit status, or 128 + the signal that ended it
  std::string out, err;
  double seconds = 0;         // from its start to its end
  double peak_memory_mb = 0;  // most resident memory it had
};

// Runs words[0], looked up in PATH, without a shell; its standard input is empty. Throws kNotFound where
// there is no such program, kFailed where it can't be started. REQUIRES: a word.
CommandResult run_command(const std::vector<std::string>& words);

// A command line's words: split at blanks, but for those between single or double quotes or after a
// backslash. Nothing else that a shell knows is. Throws kUsage on a quote that isn't closed, and on none.
std::vector<std::string> words_of(std::string_view command);

}  // namespace swinzoo::eval
