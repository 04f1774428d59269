// The git repository that the process stands in, asked through the `git` command.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace swinzoo::eval {

// The full name of a commit that git knows by this name ("HEAD", a branch, a tag, an abbreviation). Nothing
// where git knows no such commit. Throws kFailed, with git's own first line, where git itself fails: it is
// not installed, there is no repository, or it belongs to somebody else.
std::optional<std::string> resolve_commit(const std::string& revision);

// Whether the repository was cloned without its older commits. Throws likewise.
bool is_shallow_repository();

// The ancestors of a commit, itself left out, nearest first: by the number of steps from child to parent,
// and of as many steps in the order in which merges name their parents. Throws kFailed, with git's own
// message, where git can't tell.
std::vector<std::string> ancestors_of(const std::string& commit);

// The same from the text of `git rev-list --parents`: a line a commit, itself and then its parents.
std::vector<std::string> ancestors_in(const std::string& rev_list, const std::string& commit);

}  // namespace swinzoo::eval
