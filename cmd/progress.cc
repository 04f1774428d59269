#include "cmd/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace swinzoo::cmd {
namespace {

constexpr size_t kNarrowestBar = 10;
constexpr size_t kWidestBar = 40;

std::string amount(int64_t value, Unit unit) {
  return unit == Unit::kBytes ? bytes_text(static_cast<double>(value)) : fmt::format("{}", value);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string bar(double share, size_t width) {
  const size_t inner = width - 2;
  const auto filled = static_cast<size_t>(share * static_cast<double>(inner));
  std::string text(filled, '=');
  if (filled < inner) text += '>';
  text.resize(inner, ' ');
  return "[" + text + "]";
}

}  // namespace

size_t terminal_width() {
  struct winsize size;
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string bytes_text(double bytes) {
  const char* unit = "B";
  for (const char* larger : {"kB", "MB", "GB", "TB"}) {
    if (bytes < 999.95) break;
    bytes /= 1000;
    unit = larger;
  }
  return *unit == 'B' ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, unit);
}

std::string progress_text(const ProgressState& state, size_t width) {
  const bool total_known = state.total > 0;
  const double share =
      total_known ? std::clamp(static_cast<double>(state.done) / static_cast<double>(state.total), 0.0, 1.0)
                  : 0;
  std::string head(state.label);
  if (total_known) head += fmt::format(" {:3.0f}%", std::floor(share * 100));
  std::string tail = " " + amount(state.done, state.unit);
  if (total_known) tail += "/" + amount(state.total, state.unit);
  if (state.a_second > 0) {
    tail += state.unit == Unit::kBytes ? fmt::format(", {}/s", bytes_text(state.a_second))
                                       : fmt::format(", {:.1f}/s", state.a_second);
    if (total_known && state.done < state.total) {
      tail += fmt::format(", {} left",
                          duration_text(static_cast<double>(state.total - state.done) / state.a_second));
    }
  }
  if (!state.note.empty()) tail += fmt::format(", {}", state.note);

  const size_t text = head.size() + 1 + tail.size();
  if (width > 0 && total_known && text + kNarrowestBar <= width) {
    head += " " + bar(share, std::min(width - text, kWidestBar));
  }
  head += tail;
  if (width > 0 && head.size() > width) head.resize(width);
  return head;
}

Progress::Progress(std::string label, int64_t total, Unit unit, bool quiet)
    : label_(std::move(label)),
      total_(total),
      unit_(unit),
      quiet_(quiet),
      is_terminal_(::isatty(STDERR_FILENO) != 0),
      next_(start_ + (is_terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(15))) {}

Progress::~Progress() {
  if (drawn_) draw("");
}

void Progress::update(int64_t done, std::string_view note) {
  if (!first_) first_ = done;
  const auto now = Clock::now();
  if (quiet_ || now < next_) return;
  next_ = now + (is_terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(15));
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const ProgressState state{
      label_, done, total_, unit_, seconds, static_cast<double>(done - *first_) / seconds, note};
  if (is_terminal_) {
    draw(progress_text(state, terminal_width() - 1));
    drawn_ = true;
  } else {
    fmt::print(stderr, "{}\n", progress_text(state, 0));
  }
}

void Progress::draw(const std::string& text) {
  fmt::print(stderr, "\r\x1b[K{}", text);
  std::fflush(stderr);
}

}  // namespace swinzoo::cmd
