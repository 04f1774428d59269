#include "eval/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "eval/count.h"
#include "eval/statistics.h"

namespace swinzoo::eval {
namespace {

using backends::Op;
using backends::Plan;
using backends::Step;

double median_ms(std::span<const backends::StepTimes> calls, size_t step) {
  std::vector<double> ms;
  for (const backends::StepTimes& call : calls) {
    ms.push_back(std::chrono::duration<double, std::milli>(call.steps[step]).count());
  }
  return median(ms);
}

ProfileRow empty_sum(std::string name, std::string kind) {
  ProfileRow sum;
  sum.name = std::move(name);
  sum.kind = std::move(kind);
  sum.steps = 0;
  return sum;
}

void add(ProfileRow& sum, const ProfileRow& row) {
  sum.steps += row.steps;
  sum.ms += row.ms;
  sum.macs += row.macs;
  sum.bytes += row.bytes;
}

// Fills in what follows from a row's time, MACs and bytes.
void complete(ProfileRow& row, double total_ms, const Roof& roof) {
  const double flops = 2 * static_cast<double>(row.macs);
  const double compute_ms = flops / roof.gflops_per_second / 1e6;
  const double memory_ms = static_cast<double>(row.bytes) / roof.gbytes_per_second / 1e6;
  row.roof = memory_ms > compute_ms ? "memory" : "compute";
  if (total_ms > 0) row.share = 100 * row.ms / total_ms;
  if (row.ms > 0) {
    row.gflops_per_second = flops / row.ms / 1e6;
    row.roof_share = 100 * std::max(compute_ms, memory_ms) / row.ms;
  }
}

std::string number(const std::optional<double>& value, int digits) {
  return value.has_value() ? fmt::format("{:.{}f}", *value, digits) : "-";
}

std::vector<TextTable::Column> figures_columns() {
  std::vector<TextTable::Column> columns;
  for (const char* header : {"ms", "share %", "GMACs", "MB", "GFLOP/s"})
    columns.push_back({header, Align::kRight});
  columns.push_back({"roof"});
  columns.push_back({"% of roof", Align::kRight});
  return columns;
}

void add_row(TextTable& table, std::vector<std::string> cells, const ProfileRow& row) {
  cells.push_back(number(row.ms, 3));
  cells.push_back(number(row.share, 1));
  cells.push_back(number(static_cast<double>(row.macs) / 1e9, 3));
  cells.push_back(number(static_cast<double>(row.bytes) / 1e6, 2));
  cells.push_back(number(row.gflops_per_second, 1));
  cells.push_back(row.roof);
  cells.push_back(number(row.roof_share, 1));
  table.add(std::move(cells));
}

TextTable table_of(std::vector<TextTable::Column> columns) {
  for (TextTable::Column& column : figures_columns()) columns.push_back(std::move(column));
  return TextTable(std::move(columns));
}

}  // namespace

int64_t bytes_of(const Plan& plan, const Step& step, int64_t batch) {
  std::set<backends::ValueId> read, made, made_at_load;
  std::set<backends::WeightId> weights;
  for (const Op& op : step.ops) {
    if (op.once) {
      made_at_load.insert(op.output);
      continue;
    }
    read.insert(op.inputs.begin(), op.inputs.end());
    weights.insert(op.weights.begin(), op.weights.end());
    made.insert(op.output);
  }
  int64_t elements = batch * element_count(plan.value(step.output).shape);
  for (const backends::ValueId id : read) {
    if (made.contains(id)) continue;
    elements += (made_at_load.contains(id) ? 1 : batch) * element_count(plan.value(id).shape);
  }
  for (const backends::WeightId id : weights) {
    if (id != backends::kNone) elements += element_count(plan.weight(id).shape);
  }
  return elements * static_cast<int64_t>(sizeof(float));
}

Profile profile_of(const Plan& plan, int64_t batch, std::span<const backends::StepTimes> calls,
                   const Roof& roof) {
  const Count counted = count(plan);
  Profile profile;
  profile.roof = roof;
  profile.total = empty_sum("total", "");
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    ProfileRow row;
    row.name = step.name;
    row.kind = backends::kind_of(step);
    row.ms = median_ms(calls, i);
    row.macs = batch * counted.by_step[i].macs_each_run;
    row.bytes = bytes_of(plan, step, batch);
    auto kind = std::ranges::find(profile.by_kind, row.kind, &ProfileRow::name);
    if (kind == profile.by_kind.end()) kind = profile.by_kind.insert(kind, empty_sum(row.kind, row.kind));
    add(*kind, row);
    add(profile.total, row);
    profile.by_step.push_back(std::move(row));
  }
  for (ProfileRow& row : profile.by_kind) complete(row, profile.total.ms, roof);
  for (ProfileRow& row : profile.by_step) complete(row, profile.total.ms, roof);
  complete(profile.total, profile.total.ms, roof);
  return profile;
}

TextTable table_by_kind(const Profile& profile) {
  TextTable table = table_of({{"kind of step"}, {"steps", Align::kRight}});
  for (const ProfileRow& row : profile.by_kind) add_row(table, {row.name, std::to_string(row.steps)}, row);
  add_row(table, {"total", std::to_string(profile.total.steps)}, profile.total);
  return table;
}

TextTable table_by_step(const Profile& profile) {
  TextTable table = table_of({{"step"}, {"kind"}});
  for (const ProfileRow& row : profile.by_step) add_row(table, {row.name, row.kind}, row);
  add_row(table, {"total", ""}, profile.total);
  return table;
}

}  // namespace swinzoo::eval
