// The history of measurements: runs in an SQLite file, each by the machine, the commit, the entry (model and
// weights' digest) and the configuration that it belongs to.
//
// The form of the file is in docs/history.md; it is read by sqlite3 too. Several processes may use a file at
// the same time (sqlite.h). Every row's run is checked against its digest when it is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/run.h"
#include "eval/sqlite.h"

namespace swinzoo::eval {

// A run in the history, and what it is kept by.
struct HistoryRow {
  int64_t id = 0;
  std::string added_at;
  std::string machine;
  std::string commit;
  std::string configuration;  // history_configuration() in run_setup.h
  Run run;
};

// Of the row without its run, for exports.
template <typename Self, typename Visit>
requires IsSelf<Self, HistoryRow>
void visit_fields(Self& row, Visit&& visit) {
  visit(Field{.name = "history_id", .about = "the row's number, which stays"}, row.id);
  visit(Field{.name = "history_added_at", .about = "when it was added, UTC, ISO 8601"}, row.added_at);
  visit(Field{.name = "history_machine", .about = "the machine's fingerprint"}, row.machine);
  visit(Field{.name = "history_commit", .about = "the commit that it is kept by"}, row.commit);
  visit(Field{.name = "history_configuration", .about = "how it was measured"}, row.configuration);
}

// Which rows; what is empty leaves all through.
struct HistoryFilter {
  std::vector<int64_t> ids = {};
  std::string machine = {};
  std::string commit = {};  // or how it begins, where it has fewer than 40 digits
  std::string model = {};
  std::string kind = {};
  bool latest_only = false;   // of each machine, commit, entry and configuration the row that came last
  bool with_samples = false;  // whether the rows' runs have the samples that were kept of them
};

// Not thread-safe.
class History {
 public:
  // Throw as Database does; kCorrupt where the file is something else, kUnsupported where another version of
  // swinzoo made it.
  static History open(const std::filesystem::path& path) { return {path, Database::Mode::kRead}; }
  static History open_or_make(const std::filesystem::path& path) { return {path, Database::Mode::kWrite}; }

  // Adds all of them or none, by `commit`, or where that is empty by the commit that each names itself, with
  // the samples that they hold. The very same result of the same commit, samples aside, is kept once; where
  // it was kept without samples, these join it. Failed runs are left out. Returns how many are new or got
  // samples.
  int64_t add(std::span<const Run> runs, const std::string& commit);

  // In the order in which they were measured.
  std::vector<HistoryRow> rows(const HistoryFilter& filter) const;

  // The ancestors of a commit that have a row of the filter, nearest first, through git. Throws kNotFound
  // where there is none; kFailed where git can't tell, or not for sure, as the clone is shallow.
  std::vector<std::string> measured_ancestors_of(const std::string& commit,
                                                 const HistoryFilter& filter) const;

  // Removes all rows but the `keep` last measured of each machine, model and configuration, where keep > 0,
  // and those measured before that time ("2026-01-31T23:59:59Z"), where it is not empty. Returns their
  // number. dry_run: only counts them.
  int64_t prune(const HistoryFilter& filter, int64_t keep, const std::string& before, bool dry_run);

 private:
  History(const std::filesystem::path& path, Database::Mode mode);

  std::string path_;
  Database database_;
};

// Where the history lies unless a flag says so: SWINZOO_HISTORY, else $XDG_DATA_HOME/swinzoo/history.db, else
// ~/.local/share/swinzoo/history.db.
std::filesystem::path default_history_path();

// A commit by a name that git knows; 40 hex digits are one as they are. Throws kNotFound, and kFailed where
// git can't tell.
std::string commit_named(const std::string& revision);

// What HistoryFilter::commit is for a name that git knows, or for how a commit begins. Throws kFailed where
// it can only be a name and git can't tell.
std::string commit_filter(const std::string& text);

// The runs of this machine that a commit has, in the order in which they were measured, so that several of
// one configuration tell how far they lie apart: of `what` = COMMIT, or of the nearest measured ancestor
// where it is "baseline" (of HEAD) or "baseline:COMMIT". Those of `wanted` that the latter lacks (by model
// and compared_setup()) follow, each of the nearest ancestor that has it. Throws kNotFound where there is
// none, and as History does.
std::vector<Run> runs_of_history(const std::filesystem::path& path, const std::string& what,
                                 std::span<const Run> wanted = {});

// A measure over the commits, of one entry in one configuration on one machine.
struct Trend {
  struct Point {
    std::string commit;
    std::string measured_at;
    double value = 0;
  };
  std::string machine;
  std::string model;
  std::string configuration;
  std::vector<Point> points;  // as the rows are ordered
};

// `measure` is a field of Run that holds a number; throws kUsage where it is none. Several rows of one commit
// in a row are one point: their median, at the time of the last.
std::vector<Trend> trends_of(std::span<const HistoryRow> rows, std::string_view measure);

}  // namespace swinzoo::eval
