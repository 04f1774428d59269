#include "eval/git.h"

#include <deque>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "eval/run_command.h"
#include "formats/error.h"

namespace swinzoo::eval {
namespace {

// What git with these arguments says; nothing where there is no git.
std::optional<CommandResult> ask_git(std::vector<std::string> words) {
  words.insert(words.begin(), "git");
  try {
    return run_command(words);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    return std::nullopt;
  }
}

}  // namespace

std::optional<std::string> resolve_commit(const std::string& revision) {
  const auto answer =
      ask_git({"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"});
  if (!answer || answer->status != 0) return std::nullopt;
  return answer->out.substr(0, answer->out.find_last_not_of('\n') + 1);
}

std::vector<std::string> ancestors_of(const std::string& commit) {
  const auto answer = ask_git({"rev-list", "--parents", "--end-of-options", commit, "--"});
  if (!answer) fail(ErrorCode::kFailed, "git: not installed, so a baseline can't be looked for");
  if (answer->status != 0) {
    fail(ErrorCode::kFailed, "git can't tell the ancestors of {}: {}", commit,
         answer->err.substr(0, answer->err.find('\n')));
  }
  return ancestors_in(answer->out, commit);
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
