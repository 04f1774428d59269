// Patterns of names.
#pragma once

#include <fnmatch.h>

#include <algorithm>
#include <string>
#include <vector>

namespace swinzoo::zoo {

// As Python's fnmatchcase() and `hf download` have it: `*` (slashes too), `?` and [...]; capitals count.
inline bool matches_glob(const std::string& pattern, const std::string& text) {
  return ::fnmatch(pattern.c_str(), text.c_str(), FNM_NOESCAPE) == 0;
}

inline bool matches_any(const std::vector<std::string>& patterns, const std::string& text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& p) { return matches_glob(p, text); });
}

}  // namespace swinzoo::zoo
