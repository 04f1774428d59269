#include "eval/run_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "eval/run_setup.h"
#include "eval/text_table.h"

namespace swinzoo::eval {
namespace {

// A column of a table or of a CSV file that shows a field in its own way.
struct Column {
  const char* header;
  const char* field;
  const char* kind;  // the kind of run that has it; empty = both
  double scale = 0;  // a number is multiplied by this and rounded to `digits`; 0 = shown as it is
  int digits = 0;
  const char* to_field = nullptr;  // where the cell is a range: the field of its upper end
};

constexpr std::array<Column, 15> kTimmColumns = {{
    {"model", "model", ""},
    {"top1", "top1", "eval", 1, 4},
    {"top1_err", "top1_err", "eval", 1, 4},
    {"top5", "top5", "eval", 1, 4},
    {"top5_err", "top5_err", "eval", 1, 4},
    {"infer_samples_per_sec", "images_per_second", "bench", 1, 2},
    {"infer_step_time", "mean_ms", "bench", 1, 3},
    {"infer_batch_size", "batch", "bench"},
    {"infer_img_size", "image_size", "bench"},
    {"infer_gmacs", "macs", "bench", 1e-9, 2},
    {"infer_macts", "activations", "bench", 1e-6, 2},
    {"param_count", "params", "", 1e-6, 2},
    {"img_size", "image_size", "eval"},
    {"crop_pct", "crop_pct", ""},
    {"interpolation", "interpolation", ""},
}};

constexpr std::array<Column, 27> kTableColumns = {{
    {"Model", "model", ""},
    {"Backend", "backend", ""},
    {"ISA", "isa", "bench"},
    {"Precision", "precision", ""},
    {"Threads", "threads", ""},
    {"Streams", "streams", "bench"},
    {"Batch", "batch", "bench"},
    {"Classifier", "classifier", "eval"},
    {"Images", "count", "eval"},
    {"Top-1 %", "top1", "eval", 1, 3},
    {"95%", "top1_low", "eval", 1, 2, "top1_high"},
    {"Top-5 %", "top5", "eval", 1, 3},
    {"95%", "top5_low", "eval", 1, 2, "top5_high"},
    {"Median ms", "median_ms", "bench", 1, 3},
    {"+-%", "median_error", "bench", 1, 2},
    {"P90 ms", "p90_ms", "bench", 1, 3},
    {"P99 ms", "p99_ms", "bench", 1, 3},
    {"Calls", "iterations", "bench"},
    {"Seconds", "seconds", "eval", 1, 2},
    {"Images/s", "images_per_second", "", 1, 2},
    {"GMAC/s", "gmacs_per_second", "bench", 1, 1},
    {"% of roof", "roof_share", "bench", 1, 1},
    {"Load ms", "load_ms", "bench", 1, 1},
    {"Peak MiB", "peak_memory_mb", "", 1, 1},
    {"GMACs", "macs", "", 1e-9, 2},
    {"Params M", "params", "", 1e-6, 2},
    {"Input px", "image_size", ""},
}};

std::string cell_of(const json::object& fields, const Column& column, const char* missing) {
  const json::value* value = find_member(fields, column.field);
  if (value == nullptr) return missing;
  if (value->is_string()) return as_string(*value, column.field);
  if (column.scale == 0) return to_pretty_json(*value);
  const auto rounded = [&](const json::value& number) {
    return fmt::format("{:.{}f}", as_number(number, column.field) * column.scale, column.digits);
  };
  const json::value* upper = column.to_field == nullptr ? nullptr : find_member(fields, column.to_field);
  return upper == nullptr ? rounded(*value) : fmt::format("{}-{}", rounded(*value), rounded(*upper));
}

bool is_of(const char* kind, const std::string& wanted) { return *kind == 0 || kind == wanted; }

// The summary of all runs of a kind, without the columns that none of them fills.
TextTable table_of(std::span<const Run> runs, const std::string& kind) {
  std::vector<json::object> rows;
  for (const Run& run : runs) {
    if (run.kind == kind) rows.push_back(to_object(run));
  }
  std::vector<Column> columns;
  std::vector<TextTable::Column> headers;
  for (const Column& column : kTableColumns) {
    if (!is_of(column.kind, kind)) continue;
    const json::value* first = nullptr;
    for (const json::object& fields : rows) {
      if (first == nullptr) first = find_member(fields, column.field);
    }
    if (first == nullptr) continue;
    columns.push_back(column);
    headers.push_back({column.header, first->is_number() ? Align::kRight : Align::kLeft});
  }
  TextTable table(std::move(headers));
  for (const json::object& fields : rows) {
    std::vector<std::string> cells;
    for (const Column& column : columns) cells.push_back(cell_of(fields, column, "-"));
    table.add(std::move(cells));
  }
  return table;
}

// The figures that others published of these models, beside ours.
TextTable table_of_published(std::span<const Run> runs) {
  TextTable table({{"Model"},
                   {"Published by"},
                   {"On"},
                   {"Top-1 %", Align::kRight},
                   {"Ours less it", Align::kRight},
                   {"Within noise"},
                   {"Top-5 %", Align::kRight},
                   {"Ours less it", Align::kRight},
                   {"Within noise"}});
  const auto number = [](std::optional<double> value, bool sign) {
    if (!value.has_value()) return std::string("-");
    return sign ? fmt::format("{:+.3f}", *value) : fmt::format("{:.3f}", *value);
  };
  const auto answer = [](std::optional<bool> value) {
    return std::string(!value.has_value() ? "-" : *value ? "yes" : "no");
  };
  for (const Run& run : runs) {
    for (const PublishedFigure& figure : run.published) {
      table.add({run.model, figure.by, figure.data_set, number(figure.top1, false),
                 number(figure.top1_difference, true), answer(figure.top1_within_noise),
                 number(figure.top5, false), number(figure.top5_difference, true),
                 answer(figure.top5_within_noise)});
    }
  }
  return table;
}

// More than fits a cell of a CSV.
template <typename T>
constexpr bool kIsNested = false;
template <typename T>
constexpr bool kIsNested<std::vector<T>> = true;
template <typename T>
constexpr bool kIsNested<std::optional<std::vector<T>>> = true;
template <HasFields T>
constexpr bool kIsNested<std::optional<T>> = true;

std::string profile_title(const Run& run) {
  const Roof& roof = run.profile->roof;
  return fmt::format(
      "{}, batch {}, {} threads: time by step, medians of {} calls; roof {:.0f} GFLOP/s, {:.1f} GB/s",
      run.model, run.batch.value_or(0), roof.threads, run.iterations.value_or(0), roof.gflops_per_second,
      roof.gbytes_per_second);
}

}  // namespace

std::string to_json(std::span<const Run> runs) { return to_pretty_json(to_document(runs)) + "\n"; }

std::string to_jsonl(std::span<const Run> runs) {
  std::string out;
  for (const Run& run : runs) out += to_json_line(to_object(run)) + "\n";
  return out;
}

std::string to_text(std::span<const Run> runs) {
  std::string out;
  for (const char* kind : {"eval", "bench"}) {
    const TextTable table = table_of(runs, kind);
    if (table.empty()) continue;
    if (!out.empty()) out += '\n';
    out += table.text();
  }
  if (const TextTable published = table_of_published(runs); !published.empty())
    out += "\n" + published.text();
  for (const Run& run : runs) {
    if (!run.profile.has_value()) continue;
    out += fmt::format("\n{}\n{}\n{}", profile_title(run), table_by_kind(*run.profile).text(),
                       table_by_step(*run.profile).text());
  }
  for (const Run& run : runs) {
    if (!run.error.empty())
      out += fmt::format("\n{}, {}: failed: {}\n", run.model, setup_text(run), run.error);
  }
  for (const Run& run : runs) {
    if (!run.skipped.has_value() || run.skipped->empty()) continue;
    out += fmt::format("\n{}: {} skipped:\n", run.model, run.skipped->size());
    for (const SkippedFile& file : *run.skipped) out += fmt::format("  {}: {}\n", file.path, file.error);
  }
  return out;
}

std::string to_markdown(std::span<const Run> runs) {
  std::string out;
  for (const auto& [kind, title] : {std::pair("eval", "Accuracy"), std::pair("bench", "Speed")}) {
    const TextTable table = table_of(runs, kind);
    if (table.empty()) continue;
    if (!out.empty()) out += '\n';
    out += fmt::format("### {}\n\n{}", title, table.markdown());
  }
  if (const TextTable published = table_of_published(runs); !published.empty()) {
    out += "\n### Published figures\n\n" + published.markdown();
  }
  for (const Run& run : runs) {
    if (!run.profile.has_value()) continue;
    out += fmt::format("\n### {}\n\n{}\n{}", escape_markdown(profile_title(run)),
                       table_by_kind(*run.profile).markdown(), table_by_step(*run.profile).markdown());
  }
  for (const Run& run : runs) {
    if (run.error.empty()) continue;
    out += fmt::format("\n{}: failed: {}\n", escape_markdown(run.model + ", " + setup_text(run)),
                       escape_markdown(run.error));
  }
  return out;
}

std::string to_csv(std::span<const Run> runs) { return to_csv(runs, {}); }

std::string to_csv(std::span<const Run> runs, std::span<const LeadingColumn> leading) {
  const auto any_of_kind = [&](const char* kind) {
    return std::any_of(runs.begin(), runs.end(), [&](const Run& run) { return is_of(kind, run.kind); });
  };
  std::vector<Column> columns;
  for (const Column& column : kTimmColumns) {
    if (any_of_kind(column.kind)) columns.push_back(column);
  }
  const size_t timm_columns = columns.size();
  const Run no_run;
  visit_fields(no_run, [&]<typename T>(const Field& field, const T&) {
    const auto is_shown = [&](const Column& column) { return std::string_view(column.header) == field.name; };
    const bool shown = std::any_of(columns.begin(), columns.begin() + timm_columns, is_shown);
    if (!kIsNested<T> && !shown && any_of_kind(field.kind))
      columns.push_back({field.name, field.name, field.kind});
  });

  std::vector<std::string> headers;
  for (const LeadingColumn& column : leading) headers.push_back(column.header);
  for (const Column& column : columns) headers.emplace_back(column.header);
  std::string out = csv_line(headers);
  for (const Run& run : runs) {
    const json::object fields = to_object(run);
    std::vector<std::string> cells;
    for (const LeadingColumn& column : leading) {
      cells.push_back(column.cells[static_cast<size_t>(&run - runs.data())]);
    }
    for (const Column& column : columns)
      cells.push_back(is_of(column.kind, run.kind) ? cell_of(fields, column, "") : "");
    out += csv_line(cells);
  }
  return out;
}

std::string to_class_csv(std::span<const Run> runs) {
  std::string out = csv_line({"model", "class", "name", "count", "top1", "top5"});
  for (const Run& run : runs) {
    for (const ClassAccuracy& row : run.classes) {
      out += csv_line({run.model, std::to_string(row.id), row.name, std::to_string(row.count),
                       fmt::format("{:.4f}", row.top1), fmt::format("{:.4f}", row.top5)});
    }
  }
  return out;
}

std::span<const RunFormat> run_formats() {
  static constexpr std::array<RunFormat, 8> kFormats = {{
      {"text", &to_text},
      {"json", &to_json},
      {"jsonl", &to_jsonl, 0},
      {"csv", &to_csv, 1},
      {"md", &to_markdown},
      {"google-benchmark", &to_google_benchmark},
      {"github-action-benchmark", &to_action_benchmark},
      {"junit", &to_junit},
  }};
  return kFormats;
}

std::string last_lines(const RunFormat& format, std::span<const Run> runs) {
  const std::string lines = format.write(runs.last(1));
  size_t begin = 0;
  for (int i = 0; i < *format.header_lines && runs.size() > 1; ++i) begin = lines.find('\n', begin) + 1;
  return lines.substr(begin);
}

}  // namespace swinzoo::eval
