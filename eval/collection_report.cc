#include "eval/collection_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
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

bool has_classifier(const ReportRow& row) {
  return row.entry.spec == nullptr || row.entry.spec->num_classes > 0;
}

ReportCell published(const ReportRow& row) {
  if (row.published != nullptr) return number(*row.published->top1, 1, 2);
  if (row.entry.spec == nullptr) return missing("not in the catalog");
  return missing(has_classifier(row) ? "none published" : "no classifier published");
}

ReportCell published_on(const ReportRow& row) {
  if (row.published == nullptr) return missing(published(row).why);
  return text(fmt::format("{}, {}", row.published->dataset, row.published->by));
}

// `why`, that stands with the first figure that is missing for it, in short for the others.
std::string in_short(const std::string& why) { return why.substr(0, why.find(':')); }

ReportCell accuracy(const ReportRow& row, std::optional<double> Run::*figure) {
  return row.accuracy != nullptr && row.accuracy->*figure
             ? number(*(row.accuracy->*figure), 1, 2)
             : missing(figure == &Run::top1 ? row.no_accuracy : in_short(row.no_accuracy));
}

ReportCell measured_on(const ReportRow& row) {
  if (row.accuracy == nullptr) return missing(in_short(row.no_accuracy));
  std::string data = row.accuracy->data_set;
  if (data.empty()) data = last_part(row.accuracy->data);
  if (data.empty()) data = "data not told";
  return text(row.accuracy->classifier.empty() ? data : data + ", " + row.accuracy->classifier);
}

ReportCell images(const ReportRow& row) {
  if (row.accuracy == nullptr || !row.accuracy->count) return missing(in_short(row.no_accuracy));
  return {*row.accuracy->count, std::to_string(*row.accuracy->count), ""};
}

// A figure of a bench.
ReportCell speed(const Run* run, std::optional<double> Run::*figure, int digits, const std::string& why) {
  if (run == nullptr) return missing(why);
  return run->*figure ? number(*(run->*figure), 1, digits) : missing("not told");
}

ReportCell setup(const Run* run, const std::string& why) {
  return run == nullptr ? missing(in_short(why)) : text(setup_of(*run));
}

ReportCell input(const ReportRow& row) {
  const zoo::ModelSpec* spec = row.entry.spec;
  if (spec == nullptr) {
    const Run* run = row.speed.latency != nullptr ? row.speed.latency : row.accuracy;
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

constexpr std::array<ReportColumn, 17> kColumns = {{
    {"model", "Model", "the entry", Align::kLeft, [](const ReportRow& row) { return text(row.entry.model); }},
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
    {"measured_on", "Measured on", "the data that the accuracy was measured on", Align::kLeft, &measured_on},
    {"images", "Images", "images that the accuracy was measured on", Align::kRight, &images},
    {"machine", "Machine", "where speed was measured", Align::kLeft,
     [](const ReportRow& row) { return row.machine.empty() ? missing("not measured") : text(row.machine); },
     true},
    {"latency_ms", "Latency ms", "median time of one call", Align::kRight,
     [](const ReportRow& row) { return speed(row.speed.latency, &Run::median_ms, 2, row.no_latency); }},
    {"p90_ms", "P90 ms", "90th percentile of the same calls", Align::kRight,
     [](const ReportRow& row) {
       return speed(row.speed.latency, &Run::p90_ms, 2, in_short(row.no_latency));
     }},
    {"peak_memory_mb", "Peak MiB", "most memory that the process held in these calls", Align::kRight,
     [](const ReportRow& row) {
       return speed(row.speed.latency, &Run::peak_memory_mb, 0, in_short(row.no_latency));
     }},
    {"latency_at", "Latency at", "the configuration of the latency", Align::kLeft,
     [](const ReportRow& row) { return setup(row.speed.latency, row.no_latency); }, true},
    {"images_per_second", "Images/s", "images a second, in the throughput's configuration", Align::kRight,
     [](const ReportRow& row) {
       return speed(row.speed.throughput, &Run::images_per_second, 1, row.no_throughput);
     }},
    {"throughput_at", "Images/s at", "the configuration of the throughput", Align::kLeft,
     [](const ReportRow& row) { return setup(row.speed.throughput, row.no_throughput); }, true},
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
  machine.name = machine_name(run);
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

using Runs = std::vector<const Run*>;

bool is_later(const Run& a, const Run& b) { return a.started_at >= b.started_at; }

// Those that `wanted` says, or all where it says none.
template <typename Wanted>
Runs preferred(const Runs& runs, Wanted wanted) {
  Runs chosen;
  std::ranges::copy_if(runs, std::back_inserter(chosen), [&](const Run* run) { return wanted(*run); });
  return chosen.empty() ? runs : chosen;
}

// An entry's runs, and on which machine each was made; none that is part of another, or of another image size
// than the entry's.
struct EntryRuns {
  Runs runs;
  std::vector<size_t> machines;

  // Of bench, on a machine, with this figure.
  Runs timed(size_t machine, std::optional<double> Run::*figure) const {
    Runs out;
    for (size_t i = 0; i < runs.size(); ++i) {
      if (machines[i] == machine && runs[i]->kind == "bench" && runs[i]->*figure) out.push_back(runs[i]);
    }
    return out;
  }
};

// What was measured in one configuration: of each entry, by its number, the latest run.
struct SetupRuns {
  int64_t batch = 0;
  std::map<size_t, const Run*> runs;
  size_t best = 0;  // entries that have their best figure here
};

// The configuration that stands for a machine, see ReportMachine.
std::string setup_for(std::span<const EntryRuns> entries, size_t machine,
                      std::optional<double> Run::*figure) {
  const bool is_latency = figure == &Run::median_ms;
  Runs all;
  for (const EntryRuns& entry : entries)
    std::ranges::copy(entry.timed(machine, figure), std::back_inserter(all));
  const Runs plain = preferred(all, [](const Run& run) {
    return run.precision == "fp32" && run.with_preprocessing.empty() && !is_profiled(run);
  });
  std::map<std::string, SetupRuns> setups;
  for (size_t i = 0; i < entries.size(); ++i) {
    for (const Run* run : entries[i].timed(machine, figure)) {
      if (std::ranges::find(plain, run) == plain.end()) continue;
      SetupRuns& setup = setups[setup_of(*run)];
      setup.batch = run->batch.value_or(0);
      const Run*& latest = setup.runs[i];
      if (latest == nullptr || is_later(*run, *latest)) latest = run;
    }
  }
  size_t most = 0;
  for (const auto& [name, setup] : setups) most = std::max(most, setup.runs.size());
  std::erase_if(setups, [&](const auto& item) { return item.second.runs.size() < most; });
  if (is_latency) {
    int64_t smallest = INT64_MAX;
    for (const auto& [name, setup] : setups) smallest = std::min(smallest, setup.batch);
    std::erase_if(setups, [&](const auto& item) { return item.second.batch > smallest; });
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    SetupRuns* best = nullptr;
    for (auto& [name, setup] : setups) {
      if (!setup.runs.contains(i)) continue;
      if (best == nullptr || (is_latency ? setup.runs[i]->*figure < best->runs[i]->*figure
                                         : setup.runs[i]->*figure > best->runs[i]->*figure)) {
        best = &setup;
      }
    }
    if (best != nullptr) ++best->best;
  }
  const auto chosen = std::ranges::max_element(
      setups, [](const auto& a, const auto& b) { return a.second.best < b.second.best; });
  return chosen == setups.end() ? "" : chosen->first;
}

// The latest in a configuration.
const Run* run_at(const EntryRuns& entry, size_t machine, std::optional<double> Run::*figure,
                  const std::string& setup) {
  const Run* latest = nullptr;
  for (const Run* run : entry.timed(machine, figure)) {
    if (setup_of(*run) == setup && (latest == nullptr || is_later(*run, *latest))) latest = run;
  }
  return latest;
}

// Why an entry has no figure of this kind on the table's machine in its configuration.
std::string why_untimed(const EntryRuns& entry, std::optional<size_t> machine,
                        std::optional<double> Run::*figure, const std::string& setup) {
  std::string here, failed;
  bool is_elsewhere = false;
  for (size_t i = 0; i < entry.runs.size(); ++i) {
    const Run& run = *entry.runs[i];
    if (run.kind != "bench") continue;
    const bool is_here = entry.machines[i] == machine;
    if (is_here && !run.error.empty() && setup_of(run) == setup) return "failed: " + run.error;
    if (!run.error.empty() && (failed.empty() || is_here)) failed = "failed: " + run.error;
    if (is_here && run.*figure) here = "not in this configuration";
    is_elsewhere = is_elsewhere || run.*figure;
  }
  if (!here.empty()) return here;
  if (!failed.empty()) return failed;
  return is_elsewhere ? "not on this machine" : "not measured";
}

// Sets which evaluation stands for the entry and which published figure beside it, or why there is none.
void set_accuracy(ReportRow& row, const EntryRuns& entry) {
  Runs evaluations;
  for (const Run* run : entry.runs) {
    if (run->kind != "eval") continue;
    if (!run->error.empty()) row.no_accuracy = "failed: " + run->error;
    if (run->error.empty() && run->top1) evaluations.push_back(run);
    if (run->error.empty() && !run->top1) row.no_accuracy = "no labelled image";
  }
  if (row.no_accuracy.empty()) row.no_accuracy = has_classifier(row) ? "not measured" : "no classifier";
  evaluations = preferred(evaluations, [](const Run& run) { return run.precision == "fp32"; });
  const auto choose = [&](const std::string* data_set) {
    for (const Run* run : evaluations) {
      if (data_set != nullptr && run->data_set != *data_set) continue;
      if (row.accuracy == nullptr || run->count > row.accuracy->count ||
          (run->count == row.accuracy->count && is_later(*run, *row.accuracy))) {
        row.accuracy = run;
      }
    }
  };
  if (row.entry.spec != nullptr) {
    for (const zoo::PublishedAccuracy& figure : row.entry.spec->published) {
      if (!figure.top1 || row.accuracy != nullptr) continue;
      choose(&figure.dataset);
      if (row.published == nullptr || row.accuracy != nullptr) row.published = &figure;
    }
  }
  if (row.accuracy == nullptr) choose(nullptr);
}

ReportRow row_of(const ReportEntry& entry, const EntryRuns& runs, const CollectionReport& report) {
  ReportRow row;
  row.entry = entry;
  for (const Run* run : runs.runs) {
    if (!row.params) row.params = run->params;
    if (!row.macs) row.macs = run->macs;
  }
  if (entry.spec != nullptr) {
    const Count count = eval::count(zoo::build_plan(*entry.spec));
    row.params = count.params;
    row.macs = count.macs;
  }
  set_accuracy(row, runs);
  for (size_t i = 0; i < report.machines.size(); ++i) {
    const ReportMachine& machine = report.machines[i];
    row.by_machine.push_back({run_at(runs, i, &Run::median_ms, machine.latency_setup),
                              run_at(runs, i, &Run::images_per_second, machine.throughput_setup)});
  }
  const ReportMachine machine = report.machine ? report.machines[*report.machine] : ReportMachine();
  if (report.machine) row.speed = row.by_machine[*report.machine];
  row.machine = machine.name;
  row.no_latency = why_untimed(runs, report.machine, &Run::median_ms, machine.latency_setup);
  row.no_throughput = why_untimed(runs, report.machine, &Run::images_per_second, machine.throughput_setup);
  return row;
}

// See CollectionReport::machine.
std::optional<size_t> table_machine(std::span<const EntryRuns> entries, size_t machines) {
  std::optional<size_t> chosen;
  std::pair<size_t, std::string> best;
  for (size_t machine = 0; machine < machines; ++machine) {
    std::pair<size_t, std::string> own;  // entries, and when the last run began
    for (const EntryRuns& entry : entries) {
      const Runs timed = entry.timed(machine, &Run::median_ms);
      if (!timed.empty()) ++own.first;
      for (const Run* run : timed) own.second = std::max(own.second, run->started_at);
    }
    if (own.first == 0 || (chosen && own <= best)) continue;
    chosen = machine;
    best = own;
  }
  return chosen;
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
  std::vector<EntryRuns> entry_runs;
  for (const ReportEntry& entry : entries) {
    EntryRuns& own = entry_runs.emplace_back();
    for (size_t i = 0; i < runs.size(); ++i) {
      const bool is_own_size = entry.spec == nullptr || !runs[i].image_size ||
                               runs[i].image_size == entry.spec->dimensions.image_size;
      if (!is_of(runs[i], entry) || !is_own_size || !runs[i].shard.empty()) continue;
      own.runs.push_back(&runs[i]);
      own.machines.push_back(machine_of_run[i]);
    }
  }
  for (size_t i = 0; i < report.machines.size(); ++i) {
    report.machines[i].latency_setup = setup_for(entry_runs, i, &Run::median_ms);
    report.machines[i].throughput_setup = setup_for(entry_runs, i, &Run::images_per_second);
  }
  report.machine = table_machine(entry_runs, report.machines.size());
  for (size_t i = 0; i < entries.size(); ++i)
    report.rows.push_back(row_of(entries[i], entry_runs[i], report));
  return report;
}

std::vector<ReportColumn> report_columns(bool with_caption) {
  std::vector<ReportColumn> columns;
  std::ranges::copy_if(kColumns, std::back_inserter(columns),
                       [&](const ReportColumn& column) { return with_caption || !column.is_in_caption; });
  return columns;
}

std::vector<std::string> caption_of(const CollectionReport& report) {
  if (!report.machine) return {};
  const ReportMachine& machine = report.machines[*report.machine];
  std::vector<std::string> caption = {fmt::format("Speed was measured on {}", machine.name)};
  if (report.machines.size() > 1) {
    caption.front() +=
        fmt::format(", the one of {} machines that measured most entries", report.machines.size());
  }
  caption.front() += '.';
  caption.push_back(fmt::format("Latency and memory: {}.", machine.latency_setup));
  if (!machine.throughput_setup.empty()) {
    caption.push_back(fmt::format("Images a second: {}.", machine.throughput_setup));
  }
  return caption;
}

std::string machine_name(const Run& run) {
  std::string name = run.cpu.empty() ? "unknown machine" : short_name(run.cpu);
  if (run.cores) name += fmt::format(", {} cores", *run.cores);
  if (run.memory_mb) {
    name += fmt::format(", {:.0f} GiB", std::round(static_cast<double>(*run.memory_mb) / 1024));
  }
  return name;
}

std::string setup_of(const Run& run) {
  const std::string rest = setup_but_batch(run);
  if (!run.batch) return rest;
  return fmt::format("batch {}{}{}", *run.batch, rest.empty() ? "" : ", ", rest);
}

std::string setup_but_batch(const Run& run) {
  std::vector<std::string> words;
  if (run.threads) words.push_back(fmt::format("{} thread{}", *run.threads, *run.threads == 1 ? "" : "s"));
  if (run.streams.value_or(1) > 1) words.push_back(fmt::format("{} streams", *run.streams));
  if (!run.precision.empty()) words.push_back(run.precision);
  if (run.backend == "reference") words.push_back(run.backend);
  for (std::string& word : unusual_words(run)) words.push_back(std::move(word));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string to_markdown(const CollectionReport& report) {
  std::string out = fmt::format("# {}\n\n", escape_markdown(report.title));
  const auto caption = caption_of(report);
  if (!caption.empty()) out += escape_markdown(fmt::format("{}", fmt::join(caption, " "))) + "\n\n";
  const auto columns = report_columns(false);
  std::vector<TextTable::Column> headers;
  for (const ReportColumn& column : columns) headers.push_back({column.header, column.align});
  TextTable table(std::move(headers));
  for (const ReportRow& row : report.rows) {
    std::vector<std::string> cells;
    for (const ReportColumn& column : columns) {
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
  const auto columns = report_columns(true);
  std::vector<TextTable::Column> headers;
  for (const ReportColumn& column : columns) headers.push_back({column.key});
  headers.push_back({"missing"});
  TextTable table(std::move(headers));
  for (const ReportRow& row : report.rows) {
    std::vector<std::string> cells, reasons;
    for (const ReportColumn& column : columns) {
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
