#include "eval/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>

#include "formats/error.h"
#include "formats/temporary_file.h"

extern char** environ;

namespace swinzoo::eval {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kAskEveryMs = 100;                     // whether to stop
constexpr auto kPatience = std::chrono::seconds(2);  // between SIGTERM and SIGKILL

std::string text_of(const TemporaryFile& file) {
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::pread(file.fd(), buffer, sizeof buffer, static_cast<off_t>(text.size()));
    if (count == 0) return text;
    if (count > 0) text.append(buffer, static_cast<size_t>(count));
    if (count < 0 && errno != EINTR) fail_errno("read", "a command's output");
  }
}

double peak_mb(const struct rusage& usage) { return static_cast<double>(usage.ru_maxrss) / 1024; }

// Returns when the process has ended, if need be after it was told to.
void await_end(pid_t pid, const std::function<bool()>& should_stop) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return;  // a kernel of before 5.3 can't tell; it is only waited for
  std::optional<Clock::time_point> told;
  bool killed = false;
  pollfd wait{fd, POLLIN, 0};
  while (::poll(&wait, 1, kAskEveryMs) <= 0) {
    if (!told && should_stop()) {
      ::kill(pid, SIGTERM);
      told = Clock::now();
    } else if (told && !killed && Clock::now() - *told > kPatience) {
      ::kill(pid, SIGKILL);
      killed = true;
    }
  }
  ::close(fd);
}

}  // namespace

CommandResult run_command(const std::vector<std::string>& words, const std::function<bool()>& should_stop) {
  const TemporaryFile out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.fd(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.fd(), STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);

  const auto start = Clock::now();
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv.front(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kFailed, "{}: {}", words.front(),
         std::strerror(error));
  }
  if (should_stop) await_end(pid, should_stop);
  int status = 0;
  struct rusage usage = {}, own = {};
  while (::wait4(pid, &status, 0, &usage) < 0) {
    if (errno != EINTR) fail_errno("wait", words.front());
  }
  CommandResult result;
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  result.peak_memory_mb = peak_mb(usage);
  ::getrusage(RUSAGE_SELF, &own);
  result.own_memory_mb = peak_mb(own);
  result.out = text_of(out);
  result.err = text_of(err);
  return result;
}

std::vector<std::string> words_of(std::string_view command) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
      words.back() += command[++i];
    } else {
      words.back() += c;
    }
  }
  if (quote != 0) fail(ErrorCode::kUsage, "{}: a quote that is not closed", command);
  if (words.empty()) fail(ErrorCode::kUsage, "expected a command, found none");
  return words;
}

}  // namespace swinzoo::eval
