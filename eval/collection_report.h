// A report of a collection: a table with every one of its entries, of what was published of it, what is
// counted and what was measured. A figure that is missing says why.
//
// Markdown, CSV and the HTML page (report_page.h) show the one list of columns below.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eval/run.h"
#include "eval/text_table.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// A machine that results were measured on.
struct ReportMachine {
  std::string fingerprint;
  std::string name;  // "Some CPU, 16 cores, 64 GiB"
  std::vector<std::pair<std::string, std::string>> facts;
};

// What has a row: a model's name, and its entry where the catalog has one.
struct ReportEntry {
  std::string model;
  const zoo::ModelSpec* spec = nullptr;
};

// One row: an entry on one machine; also where nothing was measured of it. Of the runs those in fp32 count,
// or all where none is.
struct ReportRow {
  ReportEntry entry;
  std::optional<size_t> machine;  // of CollectionReport::machines
  std::string machine_name;
  std::optional<int64_t> params;
  std::optional<int64_t> macs;      // of one image or clip
  const Run* accuracy = nullptr;    // the evaluation with most images
  const Run* latency = nullptr;     // the lowest median at the smallest batch
  const Run* throughput = nullptr;  // the most images a second of all configurations
  std::string failure;              // what a bench that failed said
  std::string accuracy_failure;     // what an evaluation that failed said
};

struct ReportCell {
  json::value value;  // a number with all digits, or a text; null where it is missing
  std::string text;   // for the eye: rounded
  std::string why;    // where it is missing
};

struct ReportColumn {
  const char* key;
  const char* header;
  const char* about;
  Align align;
  ReportCell (*cell)(const ReportRow& row);
};

// Refers to the runs and the specs that it was made of, which must outlive it.
struct CollectionReport {
  std::string title;
  std::vector<ReportMachine> machines;
  std::vector<ReportColumn> columns;  // without "machine" where there is only one
  std::vector<ReportRow> rows;
  std::vector<std::string> others;  // models that results are of, but no row
};

// Each entry, in its order, has a row for each machine that it was measured on, or one.
CollectionReport report_of(const std::string& title, std::span<const ReportEntry> entries,
                           std::span<const Run> runs);

// Whether the run is of this entry: by its name or an alias.
bool is_of(const Run& run, const ReportEntry& entry);

std::string to_markdown(const CollectionReport& report);

// A line a row, figures with all digits; the last column, "missing", holds "KEY: WHY" of each empty cell.
std::string to_csv(const CollectionReport& report);

// "batch 1, 2 threads, fp32", with what else is not the usual.
std::string setup_of(const Run& run);

}  // namespace swinzoo::eval
