// Other programs, run and waited for.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace swinzoo::eval {

struct CommandResult {
  int status = 0;  // the exit status, or 128 + the signal that ended it
  std::string out, err;
  double seconds = 0;  // from its start to its end
  // Most resident memory that it, or this process before it, had: Linux counts a child's pages from before
  // its exec too, and these are this process's (posix_spawn shares them). So the figure is the command's own
  // only where it lies above `own_memory_mb`, the most that this process ever had.
  double peak_memory_mb = 0;
  double own_memory_mb = 0;
};

// Runs words[0], looked up in PATH, without a shell; its standard input is empty. `should_stop` is asked some
// times a second, and at once when a signal comes to this thread: where it says so the command gets SIGTERM,
// and SIGKILL where that doesn't end it soon. Throws kNotFound where there is no such program, kFailed where
// it can't be started. REQUIRES: a word.
CommandResult run_command(const std::vector<std::string>& words,
                          const std::function<bool()>& should_stop = nullptr);

// A command line's words: split at blanks, but for those between single or double quotes or after a
// backslash. Nothing else that a shell knows is. Throws kUsage on a quote that isn't closed, and on none.
std::vector<std::string> words_of(std::string_view command);

}  // namespace swinzoo::eval
