#include "cmd/transfer_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace swinzoo::cmd {
namespace {

constexpr size_t kMostLines = 12;  // more than that no-one reads

std::chrono::milliseconds pause_of(bool is_terminal) {
  return is_terminal ? std::chrono::milliseconds(100) : std::chrono::seconds(15);
}

}  // namespace

std::vector<std::string> transfer_lines(const std::vector<ProgressState>& files, const ProgressState& all,
                                        size_t width, size_t height) {
  if (files.size() == 1) return {progress_text(files.front(), width)};
  size_t label = all.label.size();
  for (const ProgressState& file : files) label = std::max(label, file.label.size());
  const auto line_of = [&](ProgressState state) {
    const std::string padded = fmt::format("{:<{}}", state.label, label);
    state.label = padded;
    return progress_text(state, width);
  };
  std::vector<std::string> lines;
  for (const ProgressState& file : files) {
    const bool is_whole = file.total > 0 && file.done >= file.total;
    if (!is_whole && lines.size() + 1 < height) lines.push_back(line_of(file));
  }
  lines.push_back(line_of(all));
  return lines;
}

TransferProgress::TransferProgress(bool quiet)
    : quiet_(quiet),
      is_terminal_(::isatty(STDERR_FILENO) != 0),
      next_(Clock::now() + pause_of(is_terminal_)) {}

TransferProgress::~TransferProgress() { wipe(); }

void TransferProgress::begin(const std::string& what) {
  what_ = what;
  files_.clear();
}

void TransferProgress::update(const std::string& name, uint64_t done, uint64_t total) {
  const auto now = Clock::now();
  if (files_.empty()) start_ = now;
  const auto [found, is_new] = files_.try_emplace(name);
  File& file = found->second;
  file.done = static_cast<int64_t>(done);
  file.total = static_cast<int64_t>(total);
  if (is_new) {
    file.first = file.done;
    file.start = now;
  }
  if (quiet_ || now < next_) return;
  next_ = now + pause_of(is_terminal_);

  const auto speed = [&](int64_t bytes, Clock::time_point start) {
    const double seconds = std::chrono::duration<double>(now - start).count();
    return seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
  };
  ProgressState all{what_, 0, 0, Unit::kBytes, 0, 0, ""};
  std::vector<ProgressState> states;
  int64_t fetched = 0;
  bool total_known = true;
  for (const auto& [label, f] : files_) {
    states.push_back({label, f.done, f.total, Unit::kBytes, 0, speed(f.done - f.first, f.start), ""});
    all.done += f.done;
    all.total += f.total;
    total_known = total_known && f.total > 0;
    fetched += f.done - f.first;
  }
  if (!total_known) all.total = 0;
  all.a_second = speed(fetched, start_);
  if (is_terminal_) return draw(transfer_lines(states, all, terminal_width() - 1, kMostLines));
  const ProgressState& shown = states.size() == 1 ? states.front() : all;
  fmt::print(stderr, "{}\n", progress_text(shown, 0));
}

void TransferProgress::note(const std::string& text) {
  if (quiet_) return;
  wipe();
  fmt::print(stderr, "swinzoo: note: {}\n", text);
}

void TransferProgress::wipe() {
  if (drawn_ > 0) draw({});
}

// The cursor stands at the start of the last line that was drawn.
void TransferProgress::draw(const std::vector<std::string>& lines) {
  std::string out = "\r";
  if (drawn_ > 1) out += fmt::format("\x1b[{}A", drawn_ - 1);
  out += "\x1b[J";
  for (size_t i = 0; i < lines.size(); ++i) out += (i > 0 ? "\n" : "") + lines[i];
  fmt::print(stderr, "{}", out);
  std::fflush(stderr);
  drawn_ = lines.size();
}

}  // namespace swinzoo::cmd
