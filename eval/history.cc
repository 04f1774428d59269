#include "eval/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "eval/git.h"
#include "eval/run_setup.h"
#include "eval/statistics.h"
#include "formats/error.h"
#include "formats/sha256.h"
#include "zoo/suggest.h"

namespace swinzoo::eval {
namespace {

constexpr int64_t kApplicationId = 0x737A6868;  // "szhh": what `file` tells of the database
constexpr int64_t kVersion = 2;                 // user_version
constexpr size_t kCommitDigits = 40;

constexpr const char* kSchema = R"sql(
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  added_at TEXT NOT NULL,
  machine TEXT NOT NULL,
  "commit" TEXT NOT NULL,
  model TEXT NOT NULL,
  weights_digest TEXT NOT NULL,
  configuration TEXT NOT NULL,
  kind TEXT NOT NULL,
  started_at TEXT NOT NULL,
  digest TEXT NOT NULL,
  run TEXT NOT NULL,
  samples_digest TEXT,
  samples TEXT,
  UNIQUE ("commit", digest)
) STRICT;
CREATE INDEX runs_by_key ON runs (machine, model, configuration, started_at);
PRAGMA application_id = 1937401960;
PRAGMA user_version = 2;
)sql";
static_assert(kApplicationId == 1937401960 && kVersion == 2);

std::string digest_of(const std::string& text) { return sha256_hex(std::as_bytes(std::span(text))); }

// The WHERE clause of a filter, and what its parameters are bound to.
class Condition {
 public:
  explicit Condition(const HistoryFilter& filter) {
    if (!filter.ids.empty()) text_ = fmt::format("id IN ({})", fmt::join(filter.ids, ","));
    add("machine = ?", filter.machine);
    if (filter.commit.size() < kCommitDigits) {
      add("substr(\"commit\", 1, length(?)) = ?", filter.commit, 2);
    } else {
      add("\"commit\" = ?", filter.commit);
    }
    add("model = ?", filter.model);
    add("kind = ?", filter.kind);
  }

  std::string text() const { return text_.empty() ? "1" : text_; }
  // Returns the next parameter.
  int bind(Statement& statement) const {
    int parameter = 1;
    for (const std::string& value : values_) statement.bind(parameter++, value);
    return parameter;
  }

 private:
  void add(const char* condition, const std::string& value, size_t times = 1) {
    if (value.empty()) return;
    text_ += fmt::format("{}{}", text_.empty() ? "" : " AND ", condition);
    values_.insert(values_.end(), times, value);
  }

  std::string text_;
  std::vector<std::string> values_;
};

bool is_hex(const std::string& text) {
  return text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<Run> runs_with_samples(const History& history, HistoryFilter filter) {
  filter.with_samples = true;
  std::vector<Run> runs;
  for (HistoryRow& row : history.rows(filter)) runs.push_back(std::move(row.run));
  return runs;
}

// The numbers of those rows of the nearest ancestor that may stand against `wanted`.
std::vector<int64_t> nearest_rows(std::span<const HistoryRow> rows, std::span<const std::string> ancestors,
                                  const Run& wanted) {
  const auto setup = compared_setup(wanted);
  std::vector<int64_t> ids;
  auto nearest = ancestors.end();
  for (const HistoryRow& row : rows) {
    const auto at = std::ranges::find(ancestors, row.commit);
    if (at == ancestors.end() || at > nearest || compared_setup(row.run) != setup) continue;
    if (at < nearest) ids.clear();
    nearest = at;
    ids.push_back(row.id);
  }
  return ids;
}

// Adds to the runs of the nearest ancestor those of `wanted` that it lacks and another one has.
void add_what_is_older(const History& history, HistoryFilter filter, std::span<const std::string> ancestors,
                       std::span<const Run> wanted, std::vector<Run>& runs) {
  std::map<std::pair<std::string, std::string>, std::vector<HistoryRow>> known;  // by model and kind
  for (const Run& run : wanted) {
    const auto is_wanted = [&, setup = compared_setup(run)](const Run& other) {
      return other.model == run.model && compared_setup(other) == setup;
    };
    if (!run.error.empty() || std::ranges::any_of(runs, is_wanted)) continue;
    const auto [found, is_new] = known.try_emplace({run.model, run.kind});
    filter.model = run.model;
    filter.kind = run.kind;
    filter.ids.clear();
    if (is_new) {
      found->second = history.rows(filter);
      for (HistoryRow& row : found->second) row.run.samples_ms.clear();  // which take long to go through
    }
    filter.ids = nearest_rows(found->second, ancestors, run);
    if (!filter.ids.empty()) std::ranges::move(runs_with_samples(history, filter), std::back_inserter(runs));
  }
}

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace

History::History(const std::filesystem::path& path, Database::Mode mode)
    : path_(path.string()), database_(path, mode) {
  const auto pragma = [this](const char* text) {
    Statement statement(database_, text);
    statement.step();
    return statement.integer(0);
  };
  std::optional<Transaction> transaction;
  if (mode == Database::Mode::kWrite && pragma("PRAGMA application_id") == 0) {
    transaction.emplace(database_);  // another process may be making it right now
    if (pragma("SELECT count(*) FROM sqlite_schema") == 0) database_.execute(kSchema);
    transaction->commit();
  }
  if (pragma("PRAGMA application_id") != kApplicationId) {
    fail(ErrorCode::kCorrupt, "{}: not a history of swinzoo's", path_);
  }
  const int64_t version = pragma("PRAGMA user_version");
  if (version != kVersion) {
    fail(ErrorCode::kUnsupported, "{}: a history of version {}; this swinzoo knows version {}", path_,
         version, kVersion);
  }
}

int64_t History::add(std::span<const Run> runs, const std::string& commit) {
  const std::string now = utc_text(std::chrono::system_clock::now());
  int64_t added = 0;
  Transaction transaction(database_);
  Statement insert(database_,
                   "INSERT INTO runs (added_at, machine, \"commit\", model, weights_digest, configuration, "
                   "kind, started_at, digest, run, samples_digest, samples) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, ''), nullif(?, '')) "
                   "ON CONFLICT DO UPDATE SET samples_digest = excluded.samples_digest, "
                   "samples = excluded.samples WHERE samples IS NULL AND excluded.samples IS NOT NULL");
  for (const Run& run : runs) {
    if (!run.error.empty()) continue;  // there are no figures
    json::object fields = to_object(run);
    std::string samples;
    if (const json::value* found = find_member(fields, "samples")) {
      samples = to_json_line(*found);
      fields.stable_erase("samples");
    }
    const std::string text = to_json_line(fields);
    int at = 0;
    for (const std::string& value :
         {now, machine_fingerprint(run), commit.empty() ? run.commit : commit, run.model, run.weights_digest,
          history_configuration(run), run.kind, run.started_at.empty() ? now : run.started_at,
          digest_of(text), text, samples.empty() ? "" : digest_of(samples), samples}) {
      insert.bind(++at, value);
    }
    insert.step();
    added += database_.changes();
    insert.reset();
  }
  transaction.commit();
  return added;
}

std::vector<HistoryRow> History::rows(const HistoryFilter& filter) const {
  const Condition condition(filter);
  const char* const latest =
      filter.latest_only
          ? " AND id IN (SELECT max(id) FROM runs GROUP BY machine, \"commit\", model, weights_digest, "
            "configuration)"
          : "";
  Statement select(
      database_,
      fmt::format("SELECT id, added_at, machine, \"commit\", configuration, digest, run{} FROM "
                  "runs WHERE {}{} ORDER BY started_at, id",
                  filter.with_samples ? ", samples_digest, samples" : "", condition.text(), latest));
  condition.bind(select);
  std::vector<HistoryRow> rows;
  while (select.step()) {
    HistoryRow& row = rows.emplace_back();
    row.id = select.integer(0);
    row.added_at = select.text(1);
    row.machine = select.text(2);
    row.commit = select.text(3);
    row.configuration = select.text(4);
    const std::string where = fmt::format("{}: row {}", path_, row.id);
    const auto read = [&](const std::string& digest, const std::string& text, auto& out) {
      if (digest_of(text) != digest) {
        fail(ErrorCode::kCorrupt, "{}: the result is not the one that was added", where);
      }
      from_value(parse_json(text, where, JsonText::kAnyBytes), where, out);
    };
    read(select.text(5), select.text(6), row.run);
    if (!filter.with_samples) continue;
    if (const std::string samples = select.text(8); !samples.empty()) {
      read(select.text(7), samples, row.run.samples);
    }
  }
  return rows;
}

std::vector<std::string> History::measured_ancestors_of(const std::string& commit,
                                                        const HistoryFilter& filter) const {
  const Condition condition(filter);
  Statement select(database_, fmt::format("SELECT DISTINCT \"commit\" FROM runs WHERE {}", condition.text()));
  condition.bind(select);
  std::set<std::string> measured;
  while (select.step()) measured.insert(select.text(0));
  std::vector<std::string> ancestors = ancestors_of(commit);
  std::erase_if(ancestors, [&](const std::string& ancestor) { return !measured.contains(ancestor); });
  if (!ancestors.empty()) return ancestors;
  const std::string none =
      fmt::format("{}: no ancestor of {} was measured{}", path_, commit,
                  filter.machine.empty() ? "" : fmt::format(" on machine {}", filter.machine));
  if (is_shallow_repository()) {
    fail(ErrorCode::kFailed,
         "{}, as far as this clone goes, which is shallow: clone all of the history (fetch-depth: 0, "
         "GIT_DEPTH: 0) or run 'git fetch --unshallow'",
         none);
  }
  fail(ErrorCode::kNotFound, "{}", none);
}

int64_t History::prune(const HistoryFilter& filter, int64_t keep, const std::string& before, bool dry_run) {
  const Condition condition(filter);
  std::string old = "0";
  if (keep > 0) old += fmt::format(" OR place > {}", keep);
  if (!before.empty()) old += " OR started_at < ?";
  Transaction transaction(database_);
  Statement remove(
      database_, fmt::format("{} FROM runs WHERE id IN (SELECT id FROM (SELECT id, started_at, row_number() "
                             "OVER (PARTITION BY machine, model, configuration ORDER BY started_at DESC, id "
                             "DESC) AS place FROM runs WHERE {}) WHERE {})",
                             dry_run ? "SELECT count(*)" : "DELETE", condition.text(), old));
  const int next = condition.bind(remove);
  if (!before.empty()) remove.bind(next, before);
  const bool has_row = remove.step();
  const int64_t count = has_row ? remove.integer(0) : database_.changes();
  remove.reset();
  transaction.commit();
  if (!dry_run) database_.execute("VACUUM");
  return count;
}

std::filesystem::path default_history_path() {
  if (const auto path = variable("SWINZOO_HISTORY")) return *path;
  const std::filesystem::path data =
      variable("XDG_DATA_HOME").value_or(variable("HOME").value_or(".") + "/.local/share");
  return data / "swinzoo" / "history.db";
}

std::string commit_named(const std::string& revision) {
  if (revision.size() == kCommitDigits && is_hex(revision)) return revision;
  const auto commit = resolve_commit(revision);
  if (!commit) fail(ErrorCode::kNotFound, "'{}': git knows no such commit here", revision);
  return *commit;
}

std::string commit_filter(const std::string& text) {
  try {
    return resolve_commit(text).value_or(text);
  } catch (const Error&) {
    if (!is_hex(text)) throw;
    return text;
  }
}

std::vector<Run> runs_of_history(const std::filesystem::path& path, const std::string& what,
                                 std::span<const Run> wanted) {
  constexpr std::string_view kBaseline = "baseline";
  const History history = History::open(path);
  HistoryFilter filter;
  filter.machine = this_machines_fingerprint();
  if (what != kBaseline && !what.starts_with(std::string(kBaseline) + ":")) {
    filter.commit = commit_named(what);
    std::vector<Run> runs = runs_with_samples(history, filter);
    if (runs.empty()) {
      fail(ErrorCode::kNotFound, "{}: commit {} was not measured on this machine ({})", path.string(),
           filter.commit, filter.machine);
    }
    return runs;
  }
  const std::string commit =
      commit_named(what.size() > kBaseline.size() ? what.substr(kBaseline.size() + 1) : "HEAD");
  const std::vector<std::string> ancestors = history.measured_ancestors_of(commit, filter);
  filter.commit = ancestors.front();
  std::vector<Run> runs = runs_with_samples(history, filter);
  filter.commit.clear();
  add_what_is_older(history, filter, ancestors, wanted, runs);
  return runs;
}

std::vector<Trend> trends_of(std::span<const HistoryRow> rows, std::string_view measure) {
  std::vector<std::string> measures;
  const Run no_run;
  visit_fields(no_run, [&]<typename T>(const Field& field, const T&) {
    if (std::is_same_v<T, std::optional<double>> || std::is_same_v<T, std::optional<int64_t>>) {
      measures.emplace_back(field.name);
    }
  });
  if (std::find(measures.begin(), measures.end(), measure) == measures.end()) {
    const auto near = zoo::nearest(measure, measures);
    fail(ErrorCode::kUsage, "'{}' is no measure of a result{}", measure,
         near ? fmt::format("; did you mean '{}'?", *near) : "");
  }
  std::vector<Trend> trends;
  std::vector<std::vector<double>> repeats;  // by trend: of its last point's commit
  for (const HistoryRow& row : rows) {
    const json::object fields = to_object(row.run);
    const json::value* value = find_member(fields, measure);
    if (value == nullptr) continue;
    auto trend = std::find_if(trends.begin(), trends.end(), [&](const Trend& t) {
      return t.machine == row.machine && t.model == row.run.model && t.configuration == row.configuration;
    });
    if (trend == trends.end()) {
      trends.push_back({row.machine, row.run.model, row.configuration, {}});
      repeats.emplace_back();
      trend = std::prev(trends.end());
    }
    std::vector<double>& values = repeats[static_cast<size_t>(trend - trends.begin())];
    if (trend->points.empty() || trend->points.back().commit != row.commit) {
      trend->points.emplace_back();
      values.clear();
    }
    values.push_back(as_number(*value, ""));
    trend->points.back() = {row.commit, row.run.started_at, median(values)};
  }
  return trends;
}

}  // namespace swinzoo::eval
