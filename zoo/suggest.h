// "did you mean ...?"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swinzoo::zoo {

// The candidate nearest to `word` by edit distance (Damerau-Levenshtein, adjacent transpositions), or nothing
// if none is near: at most a third of the word's length away, and at least one edit allowed.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace swinzoo::zoo
