#include "eval/comparison_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "eval/junit.h"
#include "eval/text_table.h"
#include "eval/xml.h"
#include "formats/error.h"

namespace swinzoo::eval {
namespace {

constexpr size_t kMostFlips = 50;  // shown, of each kind

bool is_accuracy(const MeasureResult& row) { return row.measure == "top1" || row.measure == "top5"; }
bool is_digest(const MeasureResult& row) { return row.measure == "digest"; }

std::string figure_text(std::optional<double> figure) {
  return figure.has_value() ? fmt::format("{:.5g}", *figure) : "-";
}

// "3%", or points of accuracy: "0.1 pt".
std::string amount_text(const MeasureResult& row, std::optional<double> amount, bool sign) {
  if (!amount.has_value() || is_digest(row)) return "-";
  const int digits = is_accuracy(row) ? 2 : 1;
  const std::string number = sign ? fmt::format("{:+.{}f}", *amount, digits) : fmt::format("{:.3g}", *amount);
  return number + (is_accuracy(row) ? " pt" : "%");
}

std::string change_text(const MeasureResult& row) {
  if (!is_digest(row) || !row.worse_by.has_value()) return amount_text(row, row.worse_by, true);
  return *row.worse_by == 0 ? "same bits" : "other bits";
}

std::string interval_text(const MeasureResult& row) {
  if (is_digest(row) || !row.worse_by_low.has_value() || *row.worse_by_low == *row.worse_by_high) return "-";
  const int digits = is_accuracy(row) ? 2 : 1;
  return fmt::format("{:+.{}f} to {:+.{}f}", *row.worse_by_low, digits, *row.worse_by_high, digits);
}

std::string p_text(const MeasureResult& row) {
  const std::optional<double> p = row.p_adjusted.has_value() ? row.p_adjusted : row.p;
  return !p.has_value() ? "-" : *p < 0.0001 ? "<0.0001" : fmt::format("{:.4f}", *p);
}

std::string samples_text(const MeasureResult& row) {
  if (!row.base_count.has_value() || !row.next_count.has_value()) return "-";
  return *row.base_count == *row.next_count ? std::to_string(*row.base_count)
                                            : fmt::format("{}, {}", *row.base_count, *row.next_count);
}

std::string verdict_text(const MeasureResult& row) {
  if (row.verdict.empty()) return "not judged";
  return row.confirmed == true ? row.verdict + ", confirmed" : row.verdict;
}

std::string measure_text(const MeasureResult& row) {
  return row.unit.empty() ? row.measure : row.measure + " " + row.unit;
}

// One line that says all of a row.
std::string sentence(const MeasureResult& row) {
  std::string text = fmt::format("{}: {}", row.measure, row.verdict);
  if (is_digest(row)) return text + ", " + change_text(row);
  text += fmt::format(": {} {}, was {} {}", figure_text(row.next), row.unit, figure_text(row.base), row.unit);
  if (row.worse_by.has_value()) {
    text += fmt::format("; worse by {} (95%: {}), threshold {}", change_text(row), interval_text(row),
                        amount_text(row, row.threshold, false));
  }
  return row.why.empty() ? text : text + "; " + row.why;
}

std::vector<TextTable::Column> columns() {
  return {{"Measure"},
          {"Base", Align::kRight},
          {"New", Align::kRight},
          {"Worse by", Align::kRight},
          {"95%", Align::kRight},
          {"Threshold", Align::kRight},
          {"Noise", Align::kRight},
          {"p", Align::kRight},
          {"Verdict"},
          {"Effect", Align::kRight},
          {"Samples", Align::kRight}};
}

std::vector<std::string> cells_of(const MeasureResult& row) {
  return {measure_text(row),
          figure_text(row.base),
          figure_text(row.next),
          change_text(row),
          interval_text(row),
          amount_text(row, row.threshold, false),
          row.noise_floor.has_value() ? fmt::format("{:.1f}%", *row.noise_floor) : "-",
          p_text(row),
          verdict_text(row),
          row.effect.has_value() ? fmt::format("{:+.2f}", *row.effect) : "-",
          samples_text(row)};
}

// What a configuration is called where there may be several new sides.
std::string title_of(const Comparison& comparison, const ConfigurationResult& result) {
  const bool several = std::any_of(comparison.results.begin(), comparison.results.end(),
                                   [&](const auto& other) { return other.next != result.next; });
  return several ? fmt::format("{} ({})", result.configuration, result.next) : result.configuration;
}

// "base: a.json, new: b.json, c.json"
std::string sides_text(const Comparison& comparison) {
  std::string text = fmt::format("base: {}, new: ", comparison.results.front().base);
  std::vector<std::string> seen;
  for (const ConfigurationResult& result : comparison.results) {
    if (std::find(seen.begin(), seen.end(), result.next) != seen.end()) continue;
    text += (seen.empty() ? "" : ", ") + result.next;
    seen.push_back(result.next);
  }
  return text;
}

// "1 image", "2 images".
std::string counted(size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

template <typename Visit>
void for_each_flips(const ConfigurationResult& result, const Visit& visit) {
  if (!result.lost.empty()) visit("right only in base", result.lost);
  if (!result.gained.empty()) visit("right only in the new side", result.gained);
}

template <typename Line>
std::string flip_lines(const std::vector<Flip>& flips, const Line& line) {
  std::string text;
  for (size_t i = 0; i < std::min(flips.size(), kMostFlips); ++i) text += line(flips[i]);
  if (flips.size() > kMostFlips)
    text += fmt::format("... and {} more; JSON has them all\n", flips.size() - kMostFlips);
  return text;
}

std::string details(const std::string& summary, const std::string& content) {
  return fmt::format("\n<details><summary>{}</summary>\n\n{}\n</details>\n", escape_xml(summary), content);
}

}  // namespace

std::string headline(const Comparison& comparison) {
  switch (static_cast<ErrorCode>(exit_status(comparison))) {
    case ErrorCode::kAccuracyRegression:
      return "accuracy regression";
    case ErrorCode::kPerformanceRegression:
      return "performance regression";
    case ErrorCode::kInconclusive:
      return is_judged(comparison) ? "inconclusive" : "nothing was judged";
    default:
      return "no regression";
  }
}

std::string to_text(const Comparison& comparison) {
  std::string out = sides_text(comparison) + "\n";
  for (const ConfigurationResult& result : comparison.results) {
    TextTable table(columns());
    std::string reasons;
    for (const MeasureResult& row : result.measures) {
      table.add(cells_of(row));
      if (!row.why.empty()) reasons += fmt::format("{}: {}\n", row.measure, row.why);
    }
    out += fmt::format("\n{}\n{}{}", title_of(comparison, result), table.text(), reasons);
    for (const std::string& note : result.notes) out += note + "\n";
    for_each_flips(result, [&](const char* what, const std::vector<Flip>& flips) {
      out += fmt::format("{} {}:\n", counted(flips.size(), "image"), what);
      out += flip_lines(flips, [](const Flip& flip) {
        return fmt::format("  {}: {} in base, {} in the new side\n", flip.path, flip.base, flip.next);
      });
    });
  }
  return out + fmt::format("\n{}\n", headline(comparison));
}

std::string to_markdown(const Comparison& comparison) {
  std::vector<TextTable::Column> headers = columns();
  headers.insert(headers.begin(), {"Configuration"});
  TextTable changed(headers), others(headers);
  size_t other_rows = 0;
  std::string notes, flips_text;
  for (const ConfigurationResult& result : comparison.results) {
    const std::string title = title_of(comparison, result);
    for (const MeasureResult& row : result.measures) {
      std::vector<std::string> cells = cells_of(row);
      cells.insert(cells.begin(), title);
      const bool is_other = row.verdict.empty() || row.verdict == "same";
      other_rows += is_other;
      (is_other ? others : changed).add(std::move(cells));
      if (!row.why.empty())
        notes += fmt::format("- {}: {}: {}\n", escape_markdown(title), row.measure, escape_markdown(row.why));
    }
    for (const std::string& note : result.notes)
      notes += fmt::format("- {}: {}\n", escape_markdown(title), escape_markdown(note));
    for_each_flips(result, [&](const char* what, const std::vector<Flip>& flips) {
      const std::string list = flip_lines(flips, [](const Flip& flip) {
        return fmt::format("- {}: {} in base, {} in the new side\n", escape_markdown(flip.path), flip.base,
                           flip.next);
      });
      flips_text += details(fmt::format("{}: {} {}", title, counted(flips.size(), "image"), what), list);
    });
  }
  std::string out = fmt::format("### swinzoo compare: {}\n\n", headline(comparison));
  out += changed.empty() ? "Nothing that is judged changed.\n" : changed.markdown();
  if (!notes.empty()) out += "\n" + notes;
  out += flips_text;
  if (!others.empty())
    out += details(fmt::format("{} without a change, or not judged", counted(other_rows, "measure")),
                   others.markdown());
  return out + "\n" + escape_markdown(sides_text(comparison)) + "\n";
}

std::string to_json(const Comparison& comparison) {
  const json::object document = {{"schema", 1},
                                 {"verdict", headline(comparison)},
                                 {"status", exit_status(comparison)},
                                 {"results", to_array(comparison.results)}};
  return to_pretty_json(document) + "\n";
}

std::string to_junit(const Comparison& comparison) {
  std::vector<JunitSuite> suites;
  for (const ConfigurationResult& result : comparison.results) {
    JunitSuite& suite = suites.emplace_back(JunitSuite{title_of(comparison, result), {}});
    for (const MeasureResult& row : result.measures) {
      if (row.verdict.empty()) continue;
      JunitCase& each = suite.cases.emplace_back();
      each.class_name = suite.name;
      each.name = row.measure;
      (row.verdict == "worse"          ? each.failure
       : row.verdict == "inconclusive" ? each.skipped
                                       : each.output) = sentence(row);
    }
  }
  return to_junit_xml("swinzoo compare", suites);
}

std::span<const ComparisonFormat> comparison_formats() {
  static constexpr std::array<ComparisonFormat, 4> kFormats = {{
      {"text", ".txt", &to_text},
      {"json", ".json", &to_json},
      {"md", ".md", &to_markdown},
      {"junit", ".xml", &to_junit},
  }};
  return kFormats;
}

}  // namespace swinzoo::eval
