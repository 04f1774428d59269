#include "tests/run_binary.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// Outputs go to files, not pipes, so that neither can fill up and block.
File temporary_file() {
  File file(std::tmpfile(), &std::fclose);
  if (file == nullptr) throw std::runtime_error("no temporary file can be made");
  return file;
}

std::string contents_of(const File& file) {
  std::string text;
  std::rewind(file.get());
  for (int c = std::fgetc(file.get()); c != EOF; c = std::fgetc(file.get())) text += static_cast<char>(c);
  return text;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result run_swinzoo(std::vector<std::string> args, std::map<std::string, std::string> env) {
  args.insert(args.begin(), SWINZOO_BINARY);
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (!text.starts_with("SWINZOO_") && !env.contains(std::string(text.substr(0, text.find('='))))) {
      variables.emplace_back(text);
    }
  }
  for (const auto& [name, value] : env) variables.push_back(name + "=" + value);

  const File out = temporary_file();
  const File err = temporary_file();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(err.get()), STDERR_FILENO);
  pid_t child = 0;
  const int failed = posix_spawn(&child, SWINZOO_BINARY, &actions, nullptr, pointers_to(args).data(),
                                 pointers_to(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot start " SWINZOO_BINARY);

  int status = 0;
  if (waitpid(child, &status, 0) != child) throw std::runtime_error("cannot wait for " SWINZOO_BINARY);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), contents_of(out),
          contents_of(err)};
}
