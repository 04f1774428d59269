#include "eval/git.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "formats/error.h"

extern char** environ;

namespace swinzoo::eval {
namespace {

struct Answer {
  int status = -1;  // git's exit status; 127 where there is no git
  std::string text;
};

std::string read_all(int fd) {
  std::string text;
  std::array<char, 1 << 16> piece;
  for (;;) {
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count > 0) {
      text.append(piece.data(), static_cast<size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      return text;
    }
  }
}

// What `git` with these arguments writes; its messages are left out unless asked for.
Answer ask_git(std::vector<std::string> words, bool with_messages = false) {
  words.insert(words.begin(), "git");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail_errno("pipe", "git");
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  if (with_messages) {
    posix_spawn_file_actions_adddup2(&files, ends[1], STDERR_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  pid_t child = -1;
  const int failed = ::posix_spawnp(&child, "git", &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  Answer answer;
  answer.status = 127;
  if (failed == 0) {
    answer.text = read_all(ends[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  }
  ::close(ends[0]);
  return answer;
}

}  // namespace

std::optional<std::string> resolve_commit(const std::string& revision) {
  Answer answer = ask_git({"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"});
  if (answer.status != 0) return std::nullopt;
  while (answer.text.ends_with('\n')) answer.text.pop_back();
  return answer.text;
}

std::vector<std::string> ancestors_of(const std::string& commit) {
  const Answer answer = ask_git({"rev-list", "--parents", "--end-of-options", commit, "--"}, true);
  if (answer.status == 127) fail(ErrorCode::kFailed, "git: not installed, so a baseline can't be looked for");
  if (answer.status != 0) {
    fail(ErrorCode::kFailed, "git can't tell the ancestors of {}: {}", commit,
         answer.text.substr(0, answer.text.find('\n')));
  }
  return ancestors_in(answer.text, commit);
}

std::vector<std::string> ancestors_in(const std::string& rev_list, const std::string& commit) {
  std::unordered_map<std::string, std::vector<std::string>> parents;
  std::istringstream lines(rev_list);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string child;
    words >> child;
    for (std::string parent; words >> parent;) parents[child].push_back(parent);
  }
  std::vector<std::string> found;
  std::unordered_set<std::string> seen = {commit};
  std::deque<std::string> next = {commit};
  while (!next.empty()) {
    const std::string child = next.front();
    next.pop_front();
    for (const std::string& parent : parents[child]) {
      if (!seen.insert(parent).second) continue;
      found.push_back(parent);
      next.push_back(parent);
    }
  }
  return found;
}

}  // namespace swinzoo::eval
