#include "eval/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "eval/run_setup.h"

namespace swinzoo::eval {
namespace {

constexpr size_t kPointsPerTrend = 100;

// What stands in the tables of configurations and steps, and is computed with by the page.
json::value rounded(std::optional<double> value, int digits) {
  if (!value) return nullptr;
  const double scale = std::pow(10.0, digits);
  return std::round(*value * scale) / scale;
}

std::optional<size_t> entry_of(const CollectionReport& report, const Run& run) {
  const auto found = std::find_if(report.rows.begin(), report.rows.end(),
                                  [&](const ReportRow& row) { return is_of(run, row.entry); });
  return found == report.rows.end() ? std::nullopt
                                    : std::optional(static_cast<size_t>(found - report.rows.begin()));
}

size_t machine_index(const CollectionReport& report, const Run& run) {
  const std::string fingerprint = machine_fingerprint(run);
  const auto found = std::find_if(report.machines.begin(), report.machines.end(),
                                  [&](const auto& machine) { return machine.fingerprint == fingerprint; });
  return static_cast<size_t>(found - report.machines.begin());
}

json::array machines_of(const CollectionReport& report) {
  json::array machines;
  for (const ReportMachine& machine : report.machines) {
    json::array facts;
    for (const auto& [name, value] : machine.facts)
      facts.push_back(json::array{json::value(name), json::value(value)});
    machines.push_back(json::object{{"name", machine.name},
                                    {"fingerprint", machine.fingerprint},
                                    {"latency_at", machine.latency_setup},
                                    {"throughput_at", machine.throughput_setup},
                                    {"facts", std::move(facts)}});
  }
  return machines;
}

// A cell is [value, text], or [null, why]; speeds are [milliseconds, images a second], a machine each.
json::array rows_of(const CollectionReport& report, std::span<const ReportColumn> columns) {
  json::array rows;
  for (const ReportRow& row : report.rows) {
    json::array cells;
    for (const ReportColumn& column : columns) {
      const ReportCell cell = column.cell(row);
      cells.push_back(json::array{cell.value, json::value(cell.value.is_null() ? cell.why : cell.text)});
    }
    json::array speeds;
    for (const ReportSpeed& speed : row.by_machine) {
      speeds.push_back(json::array{
          rounded(speed.latency == nullptr ? std::nullopt : speed.latency->median_ms, 3),
          rounded(speed.throughput == nullptr ? std::nullopt : speed.throughput->images_per_second, 2)});
    }
    rows.push_back(
        json::object{{"model", row.entry.model}, {"cells", std::move(cells)}, {"speeds", std::move(speeds)}});
  }
  return rows;
}

struct BenchColumn {
  const char* key;
  const char* header;
  json::value (*value)(const Run& run);
};
constexpr std::array kBenchColumns = {
    BenchColumn{"setup", "Configuration", [](const Run& r) { return json::value(setup_but_batch(r)); }},
    BenchColumn{"batch", "Batch", [](const Run& r) { return to_value(r.batch); }},
    BenchColumn{"median_ms", "Median ms", [](const Run& r) { return rounded(r.median_ms, 3); }},
    BenchColumn{"p90_ms", "P90 ms", [](const Run& r) { return rounded(r.p90_ms, 3); }},
    BenchColumn{"p99_ms", "P99 ms", [](const Run& r) { return rounded(r.p99_ms, 3); }},
    BenchColumn{"images_per_second", "Images/s",
                [](const Run& r) { return rounded(r.images_per_second, 2); }},
    BenchColumn{"gmacs_per_second", "GMAC/s", [](const Run& r) { return rounded(r.gmacs_per_second, 1); }},
    BenchColumn{"peak_memory_mb", "Peak MiB", [](const Run& r) { return rounded(r.peak_memory_mb, 0); }},
    BenchColumn{"load_ms", "Load ms", [](const Run& r) { return rounded(r.load_ms, 1); }},
    BenchColumn{"warnings", "Warnings",
                [](const Run& r) {
                  return r.warnings.empty() ? json::value(nullptr)
                                            : json::value(fmt::format("{}", fmt::join(r.warnings, "; ")));
                }},
};

// Every configuration as [model, machine, a value a column]; models by the number of their first row.
json::object bench_of(const CollectionReport& report, std::span<const Run> runs) {
  json::array columns, rows;
  for (const BenchColumn& column : kBenchColumns) {
    columns.push_back(json::object{{"key", column.key}, {"header", column.header}});
  }
  for (const Run& run : runs) {
    const auto entry = entry_of(report, run);
    if (run.kind != "bench" || !run.median_ms || !entry) continue;
    json::array row = {*entry, machine_index(report, run)};
    for (const BenchColumn& column : kBenchColumns) row.push_back(column.value(run));
    rows.push_back(std::move(row));
  }
  return {{"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

// Steps are [name, kind, ms, share, share of the roof].
json::array profiles_of(const CollectionReport& report, std::span<const Run> runs) {
  std::map<std::pair<size_t, size_t>, const Run*> chosen;  // by entry and machine
  for (const Run& run : runs) {
    const auto entry = entry_of(report, run);
    if (!run.profile || !entry) continue;
    const Run*& best = chosen[{*entry, machine_index(report, run)}];
    if (best == nullptr || run.batch < best->batch) best = &run;
  }
  json::array profiles;
  for (const auto& [place, run] : chosen) {
    json::array steps;
    for (const ProfileRow& step : run->profile->by_step) {
      steps.push_back(json::array{json::value(step.name), json::value(step.kind), rounded(step.ms, 4),
                                  rounded(step.share, 2), rounded(step.roof_share, 1)});
    }
    profiles.push_back(json::object{{"model", place.first},
                                    {"machine", place.second},
                                    {"setup", setup_of(*run)},
                                    {"steps", std::move(steps)}});
  }
  return profiles;
}

// Points are [number of the commit, value].
json::object trends_of_page(const CollectionReport& report, std::span<const HistoryRow> history) {
  struct Measure {
    const char* name;
    const char* header;
  };
  json::array commits, trends;
  json::object machines;  // names by fingerprint
  for (const HistoryRow& row : history) machines.emplace(row.machine, machine_name(row.run));
  std::map<std::string, size_t> numbers;
  for (const Measure& measure : {Measure{"median_ms", "Latency, ms"}, {"top1", "Top-1, %"}}) {
    for (const Trend& trend : trends_of(history, measure.name)) {
      Run named;
      named.model = trend.model;
      const auto entry = entry_of(report, named);
      if (!entry || trend.points.size() < 2) continue;
      json::array points;
      const size_t skipped = trend.points.size() - std::min(trend.points.size(), kPointsPerTrend);
      for (const Trend::Point& point : std::span(trend.points).subspan(skipped)) {
        const auto [found, is_new] = numbers.emplace(point.commit, commits.size());
        if (is_new) {
          commits.push_back(
              json::array{json::value(point.commit.substr(0, 10)), json::value(point.measured_at)});
        }
        points.push_back(json::array{found->second, rounded(point.value, 4)});
      }
      trends.push_back(json::object{{"model", *entry},
                                    {"machine", trend.machine},
                                    {"measure", measure.header},
                                    {"configuration", trend.configuration},
                                    {"points", std::move(points)}});
    }
  }
  return {{"commits", std::move(commits)}, {"machines", std::move(machines)}, {"trends", std::move(trends)}};
}

// JSON that may stand in a script element: no "<" can end it or begin a comment.
std::string script_json(const json::value& value) {
  std::string out;
  for (const char c : to_json_line(value)) out += c == '<' ? "\\u003c" : std::string(1, c);
  return out;
}

}  // namespace

json::value page_data(const CollectionReport& report, std::span<const Run> runs,
                      std::span<const HistoryRow> history) {
  json::array headers, caption;
  const auto columns = report_columns(false);
  for (const ReportColumn& column : columns) {
    headers.push_back(json::object{{"key", column.key},
                                   {"header", column.header},
                                   {"about", column.about},
                                   {"numeric", column.align == Align::kRight}});
  }
  for (const std::string& sentence : caption_of(report)) caption.push_back(json::value(sentence));
  std::optional<int64_t> table_machine;
  if (report.machine) table_machine = static_cast<int64_t>(*report.machine);
  json::array others;
  for (const std::string& model : report.others) others.push_back(json::value(model));
  return json::object{{"title", report.title},
                      {"version", SWINZOO_VERSION},
                      {"made_at", utc_text(std::chrono::system_clock::now())},
                      {"machines", machines_of(report)},
                      {"columns", std::move(headers)},
                      {"caption", std::move(caption)},
                      {"machine", to_value(table_machine)},
                      {"rows", rows_of(report, columns)},
                      {"bench", bench_of(report, runs)},
                      {"profiles", profiles_of(report, runs)},
                      {"history", trends_of_page(report, history)},
                      {"others", std::move(others)}};
}

std::string to_html(const CollectionReport& report, std::span<const Run> runs,
                    std::span<const HistoryRow> history) {
  const std::string page = page_html_text();
  const std::array<std::pair<std::string_view, std::string>, 4> parts = {{
      {"{{style}}", page_css_text()},
      {"{{chart}}", chart_js_text()},
      {"{{data}}", script_json(page_data(report, runs, history))},
      {"{{script}}", page_js_text()},
  }};
  std::string out;
  size_t at = 0;
  for (const auto& [mark, text] : parts) {
    const size_t found = page.find(mark, at);
    out += page.substr(at, found - at) + text;
    at = found + mark.size();
  }
  return out + page.substr(at);
}

}  // namespace swinzoo::eval
