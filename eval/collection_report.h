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

// What has a row: a model's name, and its entry where the catalog has one.
struct ReportEntry {
  std::string model;
  const zoo::ModelSpec* spec = nullptr;
};

// Of an entry on one machine, in the configurations that stand for that machine.
struct ReportSpeed {
  const Run* latency = nullptr;
  const Run* throughput = nullptr;
};

// A machine that results were measured on. Its entries are compared in one configuration for latency and one
// for throughput: of the inference in fp32 without a profile, or all where there is none, those that most
// entries were measured in; for latency of these the smallest batch; then the one in which most entries have
// their best figure.
struct ReportMachine {
  std::string fingerprint;
  std::string name;  // "Some CPU, 16 cores, 64 GiB"
  std::vector<std::pair<std::string, std::string>> facts;
  std::string latency_setup;  // setup_of(); empty where nothing was measured
  std::string throughput_setup;
};

// One row: an entry; also where nothing was measured of it. Evaluations and calls that were measured several
// times count as the latest did, and at the entry's own image size only.
struct ReportRow {
  ReportEntry entry;
  std::string machine;  // the name of the table's; empty where there is none
  std::optional<int64_t> params;
  std::optional<int64_t> macs;  // of one image or clip
  // The evaluation of fp32, or of all where none is, on the data of the first published figure that any is
  // on, else on any data: with most images, the latest of equals. On whichever machine.
  const Run* accuracy = nullptr;
  const zoo::PublishedAccuracy* published = nullptr;  // on that data, else the first
  ReportSpeed speed;                                  // on the table's machine
  std::vector<ReportSpeed> by_machine;                // on each of CollectionReport::machines
  std::string no_accuracy;                            // why there is none, and so on
  std::string no_latency;
  std::string no_throughput;
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
  bool is_in_caption = false;  // the same in all rows: a column of CSV only
};

// Refers to the runs and the specs that it was made of, which must outlive it.
struct CollectionReport {
  std::string title;
  std::vector<ReportMachine> machines;
  std::optional<size_t> machine;    // the table's: which measured most entries' speed, the latest of equals
  std::vector<ReportRow> rows;      // an entry each, in their order
  std::vector<std::string> others;  // models that results are of, but no row
};

CollectionReport report_of(const std::string& title, std::span<const ReportEntry> entries,
                           std::span<const Run> runs);
CollectionReport report_of(const std::string& title, std::span<const ReportEntry> entries,
                           std::vector<Run>&& runs) = delete;  // they would be gone

// The columns of CSV, or of the tables for the eye.
std::vector<ReportColumn> report_columns(bool with_caption);

// What all rows of the table have in common, a sentence each: machine and configurations.
std::vector<std::string> caption_of(const CollectionReport& report);

// Whether the run is of this entry: by its name or an alias.
bool is_of(const Run& run, const ReportEntry& entry);

std::string to_markdown(const CollectionReport& report);

// A line a row, figures with all digits; the last column, "missing", holds "KEY: WHY" of each empty cell.
std::string to_csv(const CollectionReport& report);

// The machine of a run in short: "Some CPU, 16 cores, 64 GiB".
std::string machine_name(const Run& run);

// "batch 1, 2 threads, fp32", with what else is not the usual; and "2 threads, fp32".
std::string setup_of(const Run& run);
std::string setup_but_batch(const Run& run);

}  // namespace swinzoo::eval
