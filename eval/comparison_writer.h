// Comparisons as text in several forms.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "eval/comparison.h"

namespace swinzoo::eval {

// "no regression", "accuracy regression", "performance regression", "inconclusive" or "nothing was judged".
std::string headline(const Comparison& comparison);

// For a terminal: a table a configuration, the notes, and the images that flipped.
std::string to_text(const Comparison& comparison);

// For a pull request: what changed in one table, what did not folded away, and so the images that flipped.
std::string to_markdown(const Comparison& comparison);

// {"schema": 1, "verdict": headline, "status": the exit status, "results": [an object a configuration]}
std::string to_json(const Comparison& comparison);

// A test suite a configuration, a test a measure that is judged: worse is a failure, inconclusive is skipped.
std::string to_junit(const Comparison& comparison);

// The forms by the names that --format gives them, and the ends of files' names that mean them.
struct ComparisonFormat {
  const char* name;
  const char* extension;
  std::string (*write)(const Comparison& comparison);
};
std::span<const ComparisonFormat> comparison_formats();

}  // namespace swinzoo::eval
