#include "eval/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/run_writer.h"
#include "eval/text_table.h"

namespace swinzoo::eval {
namespace {

constexpr size_t kNumbersPerLine = 10;

// A value on one line, with JSON's digits; a list of texts is joined.
std::string cell_text(const json::value& value) {
  if (value.is_string()) return as_string(value, "");
  const json::array* array = value.if_array();
  if (array == nullptr) return to_json_line(value);
  std::string joined;
  for (const json::value& element : *array) {
    joined += fmt::format("{}{}", joined.empty() ? "" : ", ", cell_text(element));
  }
  return joined;
}

// The fields of a run's group by name, in the list's order; of every group where none is given.
std::vector<std::pair<Field, json::value>> fields_of(const Run& run, std::string_view group = "") {
  std::vector<std::pair<Field, json::value>> fields;
  visit_fields(run, [&](const Field& field, const auto& member) {
    json::value value = to_value(member);
    if (!value.is_null() && (group.empty() || group == field.group))
      fields.emplace_back(field, std::move(value));
  });
  return fields;
}

// The machines that the runs were measured on, side by side: a column each.
std::string machines_section(std::span<const Run> runs) {
  const auto same = [](const auto& a, const auto& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
      return std::string_view(x.first.name) == y.first.name && x.second == y.second;
    });
  };
  std::vector<std::vector<std::pair<Field, json::value>>> machines;
  for (const Run& run : runs) {
    auto machine = fields_of(run, "Machine");
    const bool known =
        std::any_of(machines.begin(), machines.end(), [&](const auto& m) { return same(m, machine); });
    if (!known && !machine.empty()) machines.push_back(std::move(machine));
  }
  if (machines.empty()) return "The results do not say on which machine they were measured.\n";

  std::vector<TextTable::Column> headers = {{""}};
  for (size_t i = 0; i < machines.size(); ++i) {
    headers.push_back({machines.size() == 1 ? "Machine" : fmt::format("Machine {}", i + 1)});
  }
  TextTable table(std::move(headers));
  const Run no_run;
  visit_fields(no_run, [&](const Field& field, const auto&) {
    std::vector<std::string> cells = {field.name};
    for (const auto& machine : machines) {
      const auto found = std::find_if(machine.begin(), machine.end(), [&](const auto& entry) {
        return std::string_view(entry.first.name) == field.name;
      });
      std::string cell = found == machine.end() ? "" : cell_text(found->second);
      if (!cell.empty() && *field.unit != 0) cell += fmt::format(" {}", field.unit);
      cells.push_back(std::move(cell));
    }
    const bool any =
        std::any_of(cells.begin() + 1, cells.end(), [](const auto& cell) { return !cell.empty(); });
    if (any) table.add(std::move(cells));
  });
  return table.markdown();
}

// A fenced block whose fence is longer than any that `content` holds.
std::string code_block(const std::string& content) {
  size_t longest = 2;
  size_t run = 0;
  for (const char c : content) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  return fmt::format("{}\n{}{}\n", fence, content, fence);
}

std::string folded(const std::string& summary, const std::string& content) {
  return fmt::format("\n<details><summary>{}</summary>\n\n{}\n</details>\n", summary, code_block(content));
}

// Raw data, folded away: ten numbers a line, or an object a line.
std::string folded_list(const Field& field, const json::array& list) {
  std::string content;
  for (size_t i = 0; i < list.size(); ++i) {
    const bool ends_line = list[i].is_object() || (i + 1) % kNumbersPerLine == 0 || i + 1 == list.size();
    content += to_json_line(list[i]) + (ends_line ? "\n" : ", ");
  }
  const std::string unit = *field.unit != 0 ? fmt::format(", {}", field.unit) : "";
  return folded(fmt::format("{}: {} values{}", field.name, list.size(), unit), content);
}

std::string result_section(const Run& run, size_t number) {
  TextTable table({{"Field"}, {"Value"}, {"Unit"}});
  std::string lists;
  for (const auto& [field, value] : fields_of(run)) {
    const json::array* list = value.if_array();
    if (value.is_object()) {
      lists += folded(fmt::format("{}: as JSON", field.name), to_pretty_json(value) + "\n");
    } else if (list == nullptr || list->empty() || list->front().is_string()) {
      table.add({field.name, list != nullptr && list->empty() ? "none" : cell_text(value), field.unit});
    } else {
      lists += folded_list(field, *list);
    }
  }
  return fmt::format("\n### {}. {}: {}\n\n{}{}", number, run.kind, escape_markdown(run.model),
                     table.markdown(), lists);
}

}  // namespace

std::string to_report(std::span<const Run> runs) {
  std::string out = "# swinzoo report\n\n";
  out += fmt::format("{} result{}. ", runs.size(), runs.size() == 1 ? "" : "s");
  out += "The tables of the summary are rounded; under Details stands every figure as it was measured.\n\n";
  out += "## Machine\n\n" + machines_section(runs);
  out += "\n## Summary\n\n" + to_markdown(runs);
  out += "\n## Details\n";
  for (size_t i = 0; i < runs.size(); ++i) out += result_section(runs[i], i + 1);
  return out;
}

}  // namespace swinzoo::eval
