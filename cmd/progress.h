// Progress of one long piece of work, on stderr.
//
// On a terminal it is one line that is drawn over and over, at most ten times a second, and wiped at the end;
// elsewhere a line every 15 s; with -q nothing. Times are std::chrono::steady_clock's. Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swinzoo::cmd {

enum class Unit { kBytes, kCount };

// What is shown, as a value, so that its text can be tested without a clock or a terminal.
struct ProgressState {
  std::string_view label;
  int64_t done = 0;
  int64_t total = 0;  // 0 = not known
  Unit unit = Unit::kCount;
  double seconds = 0;     // since the start
  double a_second = 0;    // units a second; 0 = not known yet
  std::string_view note;  // anything more: "top-1 81.2"
};

// "label  42% [=====>     ] 1.2 MB/2.9 MB, 300.0 kB/s, 0:05 left, note" in at most `width` columns (the bar
// takes what is left, and is left out where less than 10 are); `width` 0 is no limit, and no bar. Text is
// taken as one column a byte.
std::string progress_text(const ProgressState& state, size_t width);

// Columns of the terminal that stderr is; 80 where it tells none.
size_t terminal_width();

// 1234567 as "1.2 MB": powers of 1000, as hf prints them.
std::string bytes_text(double bytes);

class Progress {
 public:
  Progress(std::string label, int64_t total, Unit unit, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Cheap: most calls draw nothing. The first sets where the speed counts from.
  void update(int64_t done, std::string_view note = {});

 private:
  using Clock = std::chrono::steady_clock;
  void draw(const std::string& text);

  const std::string label_;
  const int64_t total_;
  const Unit unit_;
  const bool quiet_;
  const bool is_terminal_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point next_;
  std::optional<int64_t> first_;
  bool drawn_ = false;
};

}  // namespace swinzoo::cmd
