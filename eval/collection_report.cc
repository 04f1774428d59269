#include "eval/collection_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "eval/count.h"
#include "eval/run_setup.h"
#include "zoo/architecture.h"

namespace swinzoo::eval {
namespace {

ReportCell number(double value, double scale, int digits) {
  return {value, fmt::format("{:.{}f}", value * scale, digits), ""};
}

ReportCell text(const std::string& value) { return {json::value(value), value, ""}; }

ReportCell missing(const std::string& why) { return {nullptr, "", why}; }

// Why there is no speed. The message of a failure stands with the first of its figures only.
std::string unmeasured(const ReportRow& row, bool is_first = false) {
  if (row.failure.empty()) return "not measured";
  return is_first ? "failed: " + row.failure : "failed";
}

bool has_classifier(const ReportRow& row) {
  return row.entry.spec == nullptr || row.entry.spec->num_classes > 0;
}

// The published figure to set beside ours: on the data that ours is of, else the first.
const zoo::PublishedAccuracy* published_of(const ReportRow& row) {
  const zoo::PublishedAccuracy* first = nullptr;
  if (row.entry.spec == nullptr) return nullptr;
  for (const zoo::PublishedAccuracy& figure : row.entry.spec->published) {
    if (!figure.top1) continue;
    if (first == nullptr) first = &figure;
    if (row.accuracy != nullptr && figure.dataset == row.accuracy->data_set) return &figure;
  }
  return first;
}

ReportCell published(const ReportRow& row) {
  if (const auto* figure = published_of(row)) return number(*figure->top1, 1, 2);
  if (row.entry.spec == nullptr) return missing("not in the catalog");
  return missing(has_classifier(row) ? "none published" : "no classifier published");
}

ReportCell published_on(const ReportRow& row) {
  const auto* figure = published_of(row);
  if (figure == nullptr) return missing(published(row).why);
  return text(fmt::format("{}, {}", figure->dataset, figure->by));
}

ReportCell accuracy(const ReportRow& row, std::optional<double> Run::*figure) {
  if (row.accuracy != nullptr && row.accuracy->*figure) return number(*(row.accuracy->*figure), 1, 2);
  if (row.accuracy == nullptr && !row.accuracy_failure.empty())
    return missing("failed: " + row.accuracy_failure);
  if (!has_classifier(row)) return missing("no classifier");
  return missing(row.accuracy == nullptr ? "not measured" : "no labelled image");
}

// A figure of a bench.
ReportCell speed(const ReportRow& row, const Run* run, std::optional<double> Run::*figure, int digits) {
  if (run == nullptr) return missing(unmeasured(row, figure == &Run::median_ms));
  return run->*figure ? number(*(run->*figure), 1, digits) : missing("not told");
}

ReportCell setup(const ReportRow& row, const Run* run) {
  return run == nullptr ? missing(unmeasured(row)) : text(setup_of(*run));
}

ReportCell input(const ReportRow& row) {
  const zoo::ModelSpec* spec = row.entry.spec;
  if (spec == nullptr) {
    const Run* run = row.latency != nullptr ? row.latency : row.accuracy;
    if (run == nullptr || !run->image_size) return missing("not in the catalog");
    return text(fmt::format("{0}x{0}", *run->image_size));
  }
  const zoo::Dimensions& d = spec->dimensions;
  const std::string image = fmt::format("{}x{}", d.image_size, d.width());
  return text(d.frames > 0 ? fmt::format("{}x{}", d.frames, image) : image);
}

ReportCell count_of(std::optional<int64_t> value, double scale) {
  if (!value) return missing("not counted");
  ReportCell cell = number(static_cast<double>(*value), scale, 2);
  cell.value = *value;
  return cell;
}

constexpr std::array<ReportColumn, 16> kColumns = {{
    {"model", "Model", "the entry", Align::kLeft, [](const ReportRow& row) { return text(row.entry.model); }},
    {"machine", "Machine", "where speed was measured", Align::kLeft,
     [](const ReportRow& row) { return row.machine ? text(row.machine_name) : missing("not measured"); }},
    {"input", "Input", "height x width, or frames x height x width", Align::kRight, &input},
    {"params", "Params M", "parameters, in millions", Align::kRight,
     [](const ReportRow& row) { return count_of(row.params, 1e-6); }},
    {"macs", "GMACs", "multiply-accumulates of one image or clip, in 10^9", Align::kRight,
     [](const ReportRow& row) { return count_of(row.macs, 1e-9); }},
    {"published_top1", "Published %", "top-1 accuracy that was published", Align::kRight, &published},
    {"published_on", "Published on", "the data set of that figure, and who published it", Align::kLeft,
     &published_on},
    {"top1", "Top-1 %", "top-1 accuracy, measured", Align::kRight,
     [](const ReportRow& row) { return accuracy(row, &Run::top1); }},
    {"top5", "Top-5 %", "top-5 accuracy, measured", Align::kRight,
     [](const ReportRow& row) { return accuracy(row, &Run::top5); }},
    {"images", "Images", "images that the accuracy was measured on", Align::kRight,
     [](const ReportRow& row) {
       const bool has = row.accuracy != nullptr && row.accuracy->count;
       ReportCell cell = has ? number(static_cast<double>(*row.accuracy->count), 1, 0)
                             : missing(accuracy(row, &Run::top1).why);
       if (has) cell.value = *row.accuracy->count;
       return cell;
     }},
    {"latency_ms", "Latency ms", "median time of one call at the smallest batch", Align::kRight,
     [](const ReportRow& row) { return speed(row, row.latency, &Run::median_ms, 2); }},
    {"p90_ms", "P90 ms", "90th percentile of the same calls", Align::kRight,
     [](const ReportRow& row) { return speed(row, row.latency, &Run::p90_ms, 2); }},
    {"latency_at", "Latency at", "the configuration of the latency", Align::kLeft,
     [](const ReportRow& row) { return setup(row, row.latency); }},
    {"images_per_second", "Images/s", "most images a second of all configurations", Align::kRight,
     [](const ReportRow& row) { return speed(row, row.throughput, &Run::images_per_second, 1); }},
    {"throughput_at", "Images/s at", "the configuration of the throughput", Align::kLeft,
     [](const ReportRow& row) { return setup(row, row.throughput); }},
    {"peak_memory_mb", "Peak MiB", "most memory, of the latency's configuration", Align::kRight,
     [](const ReportRow& row) { return speed(row, row.latency, &Run::peak_memory_mb, 0); }},
}};

// A processor's name without what all of its kind have.
std::string short_name(std::string cpu) {
  cpu = cpu.substr(0, cpu.find(" @ "));
  for (const std::string_view word : {"(R)", "(TM)", " CPU", " Processor"}) {
    for (size_t at = cpu.find(word); at != std::string::npos; at = cpu.find(word)) cpu.erase(at, word.size());
  }
  return cpu;
}

ReportMachine machine_of(const Run& run) {
  ReportMachine machine;
  machine.fingerprint = machine_fingerprint(run);
  machine.name = run.cpu.empty() ? "unknown machine" : short_name(run.cpu);
  if (run.cores) machine.name += fmt::format(", {} cores", *run.cores);
  if (run.memory_mb) {
    machine.name += fmt::format(", {:.0f} GiB", std::round(static_cast<double>(*run.memory_mb) / 1024));
  }
  machine.facts.emplace_back("fingerprint", machine.fingerprint);
  visit_fields(run, [&](const Field& field, const auto& member) {
    if (std::string_view(field.group) != "Machine") return;
    const json::value value = to_value(member);
    if (value.is_null()) return;
    std::string shown = value.is_string() ? as_string(value, "") : to_json_line(value);
    if (const json::array* list = value.if_array()) {
      shown.clear();
      for (const json::value& element : *list) {
        shown += fmt::format("{}{}", shown.empty() ? "" : " ", as_string(element, ""));
      }
    }
    machine.facts.emplace_back(field.name, shown + (*field.unit != 0 ? std::string(" ") + field.unit : ""));
  });
  return machine;
}

// The best of the runs that have a figure; those in fp32, and not slowed by a profile, come before all
// others.
template <typename Better>
const Run* best_of(std::span<const Run* const> runs, const char* kind, std::optional<double> Run::*figure,
                   Better better) {
  const auto is_plain = [](const Run& run) { return run.precision == "fp32" && !is_profiled(run); };
  const Run* best = nullptr;
  for (const Run* run : runs) {
    if (run->kind != kind || !(run->*figure) || !run->shard.empty()) continue;
    if (best == nullptr || is_plain(*run) != is_plain(*best) ? best == nullptr || is_plain(*run)
                                                             : better(*run, *best)) {
      best = run;
    }
  }
  return best;
}

// `all`: the entry's runs; `runs`: those of the row's machine.
ReportRow row_of(const ReportEntry& entry, std::span<const Run* const> all,
                 std::span<const Run* const> runs) {
  ReportRow row;
  row.entry = entry;
  const Run* evaluation = nullptr;  // even one without a figure
  for (const Run* run : all) {
    if (run->kind != "eval" || !run->shard.empty()) continue;
    if (run->error.empty()) evaluation = run;
    if (!run->error.empty()) row.accuracy_failure = run->error;
  }
  for (const Run* run : runs) {
    if (!row.params) row.params = run->params;
    if (!row.macs) row.macs = run->macs;
    if (!run->error.empty() && run->kind == "bench") row.failure = run->error;
  }
  if (entry.spec != nullptr) {
    const Count count = eval::count(zoo::build_plan(*entry.spec));
    row.params = count.params;
    row.macs = count.macs;
  }
  row.accuracy =
      best_of(runs, "eval", &Run::top1, [](const Run& a, const Run& b) { return a.count > b.count; });
  if (row.accuracy == nullptr) row.accuracy = evaluation;
  row.latency = best_of(runs, "bench", &Run::median_ms, [](const Run& a, const Run& b) {
    return std::pair(a.batch, a.median_ms) < std::pair(b.batch, b.median_ms);
  });
  row.throughput = best_of(runs, "bench", &Run::images_per_second, [](const Run& a, const Run& b) {
    return a.images_per_second > b.images_per_second;
  });
  return row;
}

}  // namespace

bool is_of(const Run& run, const ReportEntry& entry) {
  if (run.model == entry.model) return true;
  if (entry.spec == nullptr) return false;
  const auto& aliases = entry.spec->aliases;
  return std::find(aliases.begin(), aliases.end(), run.model) != aliases.end();
}

CollectionReport report_of(const std::string& title, std::span<const ReportEntry> entries,
                           std::span<const Run> runs) {
  CollectionReport report;
  report.title = title;
  std::vector<size_t> machine_of_run;
  for (const Run& run : runs) {
    const std::string fingerprint = machine_fingerprint(run);
    const auto found = std::find_if(report.machines.begin(), report.machines.end(),
                                    [&](const auto& machine) { return machine.fingerprint == fingerprint; });
    machine_of_run.push_back(static_cast<size_t>(found - report.machines.begin()));
    if (found == report.machines.end()) report.machines.push_back(machine_of(run));
    const auto has = [&](const ReportEntry& entry) { return is_of(run, entry); };
    const bool is_known =
        std::find(report.others.begin(), report.others.end(), run.model) != report.others.end();
    if (!is_known && std::none_of(entries.begin(), entries.end(), has)) report.others.push_back(run.model);
  }
  for (const ReportEntry& entry : entries) {
    std::vector<const Run*> all;
    std::vector<std::vector<const Run*>> by_machine(report.machines.size());
    for (size_t i = 0; i < runs.size(); ++i) {
      if (!is_of(runs[i], entry)) continue;
      all.push_back(&runs[i]);
      by_machine[machine_of_run[i]].push_back(&runs[i]);
    }
    for (size_t machine = 0; machine < by_machine.size(); ++machine) {
      if (by_machine[machine].empty()) continue;
      ReportRow& row = report.rows.emplace_back(row_of(entry, all, by_machine[machine]));
      row.machine = machine;
      row.machine_name = report.machines[machine].name;
    }
    if (all.empty()) report.rows.push_back(row_of(entry, {}, {}));
  }
  for (const ReportColumn& column : kColumns) {
    if (column.key != std::string_view("machine") || report.machines.size() > 1)
      report.columns.push_back(column);
  }
  return report;
}

std::string setup_of(const Run& run) {
  std::vector<std::string> words;
  if (run.batch) words.push_back(fmt::format("batch {}", *run.batch));
  if (run.threads) words.push_back(fmt::format("{} thread{}", *run.threads, *run.threads == 1 ? "" : "s"));
  if (run.streams.value_or(1) > 1) words.push_back(fmt::format("{} streams", *run.streams));
  if (!run.precision.empty()) words.push_back(run.precision);
  if (run.backend == "reference") words.push_back(run.backend);
  for (std::string& word : unusual_words(run)) words.push_back(std::move(word));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string to_markdown(const CollectionReport& report) {
  std::string out = fmt::format("# {}\n\n", escape_markdown(report.title));
  std::vector<TextTable::Column> headers;
  for (const ReportColumn& column : report.columns) headers.push_back({column.header, column.align});
  TextTable table(std::move(headers));
  for (const ReportRow& row : report.rows) {
    std::vector<std::string> cells;
    for (const ReportColumn& column : report.columns) {
      const ReportCell cell = column.cell(row);
      cells.push_back(cell.value.is_null() ? cell.why : cell.text);
    }
    table.add(std::move(cells));
  }
  out += table.markdown();
  for (const ReportMachine& machine : report.machines) {
    out += fmt::format("\n## {}\n\n", escape_markdown(machine.name));
    TextTable facts({{"Field"}, {"Value"}});
    for (const auto& [name, value] : machine.facts) facts.add({name, value});
    out += facts.markdown();
  }
  if (!report.others.empty()) {
    out += fmt::format("\nResults of models that are no rows were left out: {}.\n",
                       escape_markdown(fmt::format("{}", fmt::join(report.others, ", "))));
  }
  return out;
}

std::string to_csv(const CollectionReport& report) {
  std::vector<TextTable::Column> headers;
  for (const ReportColumn& column : report.columns) headers.push_back({column.key});
  headers.push_back({"missing"});
  TextTable table(std::move(headers));
  for (const ReportRow& row : report.rows) {
    std::vector<std::string> cells, reasons;
    for (const ReportColumn& column : report.columns) {
      const ReportCell cell = column.cell(row);
      if (cell.value.is_null()) reasons.push_back(fmt::format("{}: {}", column.key, cell.why));
      cells.push_back(cell.value.is_null()     ? ""
                      : cell.value.is_string() ? as_string(cell.value, column.key)
                                               : to_json_line(cell.value));
    }
    cells.push_back(fmt::format("{}", fmt::join(reasons, "; ")));
    table.add(std::move(cells));
  }
  return table.csv();
}

}  // namespace swinzoo::eval
