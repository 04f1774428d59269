// Advice on a bench's result: what makes its figures less than sure, and what helps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/run.h"

namespace swinzoo::eval {

// From the run's fields alone, one line each. target_error: what the loop was asked for, percent; nothing
// where it was asked for a number of calls or a time.
std::vector<std::string> warnings_of(const Run& run, std::optional<double> target_error);

}  // namespace swinzoo::eval
