// A report of runs, in Markdown: the machines, a summary, and every field of every run.
#pragma once

#include <span>
#include <string>

#include "eval/run.h"

namespace swinzoo::eval {

// Each figure stands in the report with the same digits as in the runs' JSON. REQUIRES: at least one run.
std::string to_report(std::span<const Run> runs);

}  // namespace swinzoo::eval
