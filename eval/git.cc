#include "eval/git.h"

#include <fmt/format.h>

#include <deque>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "eval/run_command.h"
#include "formats/error.h"

namespace swinzoo::eval {
namespace {

CommandResult ask_git(std::vector<std::string> words) {
  words.insert(words.begin(), "git");
  try {
    return run_command(words);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    fail(ErrorCode::kFailed, "git: not installed, so commits can't be looked up");
  }
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string answer_of(const CommandResult& result, const std::string& question) {
  if (result.status != 0) {
    fail(ErrorCode::kFailed, "git can't tell {}: {}", question,
         result.err.empty() ? fmt::format("exit status {}", result.status) : first_line(result.err));
  }
  return result.out;
}

}  // namespace

std::optional<std::string> resolve_commit(const std::string& revision) {
  const CommandResult result =
      ask_git({"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"});
  if (result.status != 0 && result.err.empty()) return std::nullopt;
  return first_line(answer_of(result, fmt::format("what '{}' is", revision)));
}

bool is_shallow_repository() {
  return first_line(answer_of(ask_git({"rev-parse", "--is-shallow-repository"}),
                              "whether the clone is whole")) == "true";
}

std::vector<std::string> ancestors_of(const std::string& commit) {
  return ancestors_in(answer_of(ask_git({"rev-list", "--parents", "--end-of-options", commit, "--"}),
                                "the ancestors of " + commit),
                      commit);
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
