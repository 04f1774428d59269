// Runs as text in several forms, all derived from Run's fields.
//
// The tables show a choice of fields, rounded for the eye; JSON and JSON lines hold everything.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/run.h"

namespace swinzoo::eval {

std::string to_json(std::span<const Run> runs);   // one document, see run.h
std::string to_jsonl(std::span<const Run> runs);  // an object a line, as in the document's "results"
std::string to_text(std::span<const Run> runs);   // aligned tables, and the skipped files
std::string to_markdown(std::span<const Run> runs);

// timm's columns first, by its names, units and digits (those of its results-imagenet.csv for eval and of its
// benchmark-infer-*.csv for bench; step_time is the mean, as there); then every other field that is not a
// list. Quoted as RFC 4180 says. A field that no run's kind has gives no column.
std::string to_csv(std::span<const Run> runs);

// The same with columns of another's in front. REQUIRES: a cell a run in each.
struct LeadingColumn {
  std::string header;
  std::vector<std::string> cells;
};
std::string to_csv(std::span<const Run> runs, std::span<const LeadingColumn> leading);

std::string to_google_benchmark(std::span<const Run> runs);  // run_google_benchmark.cc
std::string to_action_benchmark(std::span<const Run> runs);  // run_action_benchmark.cc
std::string to_junit(std::span<const Run> runs);             // run_junit.cc

// Accuracy by class, a line a model and class: model, class, name, count, top1, top5 (percent, 4 digits).
std::string to_class_csv(std::span<const Run> runs);

// The forms by the names that --format gives them.
struct RunFormat {
  const char* name;
  std::string (*write)(std::span<const Run> runs);
  // Of a list of lines: those before the runs', each of which has one. Nothing for a document.
  std::optional<int> header_lines = {};
};
std::span<const RunFormat> run_formats();

// What the last of `runs`, which are of one kind, adds to such a list: its line, and in front of the first
// one's the header. REQUIRES: the form is a list of lines; there is a run.
std::string last_lines(const RunFormat& format, std::span<const Run> runs);

}  // namespace swinzoo::eval
