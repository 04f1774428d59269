#include "tests/run_binary.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

extern char** environ;

namespace swinzoo {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void fail(const char* what, int error) {
  throw std::runtime_error(std::string(SWINZOO_BINARY ": ") + what + ": " + std::strerror(error));
}

}  // namespace

Result run_swinzoo(std::vector<std::string> args, std::map<std::string, std::string> env) {
  args.insert(args.begin(), SWINZOO_BINARY);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    env.emplace(text.substr(0, equals), text.substr(equals + 1));  // keeps what is there already
  }
  std::vector<std::string> variables;
  for (const auto& [name, value] : env) variables.push_back(name + "=" + value);

  int out[2];
  int err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) fail("no pipe", errno);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, SWINZOO_BINARY, &actions, nullptr, pointers_to(args).data(),
                                  pointers_to(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  ::close(err[1]);

  Result result;
  if (error == 0) {
    std::array<pollfd, 2> pipes = {{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}}};
    const std::array<std::string*, 2> texts = {&result.out, &result.err};
    while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
      if (::poll(pipes.data(), pipes.size(), -1) < 0 && errno != EINTR) fail("no poll", errno);
      for (size_t i = 0; i < pipes.size(); ++i) {
        if (pipes[i].fd < 0 || pipes[i].revents == 0) continue;
        std::array<char, 4096> buffer;
        const ssize_t length = ::read(pipes[i].fd, buffer.data(), buffer.size());
        if (length > 0) texts[i]->append(buffer.data(), static_cast<size_t>(length));
        if (length == 0) pipes[i].fd = -1;  // poll leaves negative ones alone
      }
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  ::close(out[0]);
  ::close(err[0]);
  if (error != 0) fail("cannot be started", error);
  return result;
}

}  // namespace swinzoo
