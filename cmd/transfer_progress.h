// Progress of files that are downloaded, several at once, on stderr.
//
// On a terminal a line a file that is on its way and one for all of them, drawn over and over, at most ten
// times a second, and wiped at the end; elsewhere one line every 15 s; with -q nothing. Times are
// std::chrono::steady_clock's. Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cmd/progress.h"

namespace swinzoo::cmd {

// The lines, as progress_text() has them: a line a file that is not whole, at most `height` with the last
// one, which is for all and is left out where there is but one file.
std::vector<std::string> transfer_lines(const std::vector<ProgressState>& files, const ProgressState& all,
                                        size_t width, size_t height);

class TransferProgress {
 public:
  explicit TransferProgress(bool quiet);
  ~TransferProgress();
  TransferProgress(const TransferProgress&) = delete;
  TransferProgress& operator=(const TransferProgress&) = delete;

  // Starts anew with other files. `what` stands before the line for all: "3/26".
  void begin(const std::string& what);

  // Bytes that are there of a file; `total` 0 = not known. Cheap: most calls draw nothing. A file's first
  // call sets where its speed counts from.
  void update(const std::string& file, uint64_t done, uint64_t total);

  // Prints "swinzoo: note: TEXT" above the bars; nothing with -q.
  void note(const std::string& text);

  // Until the next update nothing of it stands on the terminal.
  void wipe();

 private:
  using Clock = std::chrono::steady_clock;
  struct File {
    int64_t first = 0, done = 0, total = 0;  // bytes
    Clock::time_point start;
  };
  void draw(const std::vector<std::string>& lines);

  const bool quiet_;
  const bool is_terminal_;
  std::string what_;
  std::map<std::string, File> files_;  // by name
  Clock::time_point start_;
  Clock::time_point next_;
  size_t drawn_ = 0;  // lines
};

}  // namespace swinzoo::cmd
