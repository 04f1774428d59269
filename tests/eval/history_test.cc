#include "eval/history.h"

#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "eval/git.h"
#include "eval/run_setup.h"
#include "tests/environment.h"
#include "tests/error_code.h"
#include "tests/eval/made_runs.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

Run run_of(const std::string& model, double median, const std::string& at = "2026-01-01T00:00:00Z") {
  Run run = made_bench();
  run.model = model;
  run.median_ms = median;
  run.started_at = at;
  return run;
}

std::vector<std::string> models_of(const std::vector<HistoryRow>& rows) {
  std::vector<std::string> models;
  for (const HistoryRow& row : rows) models.push_back(row.run.model);
  return models;
}

// Changes the file behind the library's back.
void execute(const fs::path& path, const char* sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

}  // namespace

TEST_CASE("a run comes back from the history as it was, and the same one is kept once a commit") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "new" / "history.db";
  const std::vector<Run> runs = {made_bench(), made_eval()};
  CHECK(History::open_or_make(path).add(runs, "") == 2);
  CHECK(History::open_or_make(path).add(runs, "") == 0);
  CHECK(History::open_or_make(path).add(runs, "c2") == 2);
  const auto rows = History::open(path).rows({.with_samples = true});
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].run == runs[0]);
  CHECK(rows[1].run == runs[1]);
  CHECK(rows[0].commit == runs[0].commit);
  CHECK(rows[2].commit == "c2");
  CHECK(rows[0].machine == machine_fingerprint(runs[0]));
  CHECK(rows[0].configuration == history_configuration(runs[0]));
}

TEST_CASE("samples are kept beside the run, join it later, and are read where asked for") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "h.db";
  const Run run = made_eval();
  Run bare = run, other = run;
  bare.samples.clear();
  other.samples.pop_back();
  History history = History::open_or_make(path);
  const auto kept = [&] { return history.rows({.with_samples = true}); };
  CHECK(history.add(std::vector{bare}, "c") == 1);
  CHECK(kept().at(0).run == bare);
  CHECK(history.add(std::vector{run}, "c") == 1);
  REQUIRE(kept().size() == 1);
  CHECK(kept()[0].run == run);
  CHECK(history.rows({}).at(0).run == bare);
  CHECK(history.add(std::vector{bare, other, run}, "c") == 0);
  CHECK(kept().at(0).run == run);
  Run bytes = run;  // names of files are bytes
  bytes.samples[0].path = "\xff.jpg";
  CHECK(history.add(std::vector{bytes}, "d") == 1);
  CHECK(history.rows({.commit = "d", .with_samples = true}).at(0).run == bytes);

  execute(path, "UPDATE runs SET samples = replace(samples, 'n01/a.jpg', 'n01/b.jpg')");
  CHECK(code_of([&] { kept(); }) == ErrorCode::kCorrupt);
  CHECK(history.rows({}).size() == 2);
}

TEST_CASE("what is measured where and how tells rows apart, and nothing else does") {
  const Run run = made_bench();
  Run other = run;
  other.kernel = "Linux 6.2";
  other.memory_mb = *other.memory_mb + 20;
  other.cpu_features = {"fma", "avx2"};
  other.load_average = 9;
  CHECK(machine_fingerprint(other) == machine_fingerprint(run));
  CHECK(machine_fingerprint(run).size() == 16);
  const auto changed = [&](auto change) {
    Run copy = run;
    change(copy);
    return machine_fingerprint(copy) != machine_fingerprint(run);
  };
  CHECK(changed([](Run& r) { r.cpu = "Another"; }));
  CHECK(changed([](Run& r) { r.cores = 4; }));
  CHECK(changed([](Run& r) { r.memory_mb = 50000; }));
  CHECK(changed([](Run& r) { r.cpu_features.push_back("avx512f"); }));
  CHECK(changed([](Run& r) { r.governor = "powersave"; }));

  CHECK(history_configuration(run) ==
        "kind=bench backend=cpu isa=avx512 precision=fp32 threads=2 streams=1 batch=8 image_size=224 "
        "with_preprocessing=photos/ pinned=true");
  Run eval = made_eval();
  const std::string text = history_configuration(eval);
  CHECK_THAT(text, Contains("kind=eval") && Contains("data=images") && Contains("limit=10"));
  eval.data = "/elsewhere/images/";
  eval.threads = 7;
  eval.batch = 3;
  CHECK(history_configuration(eval) == text);
}

TEST_CASE("filters choose rows") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "h.db";
  const std::string full(40, 'a');
  {
    History history = History::open_or_make(path);
    history.add(std::vector{run_of("late", 2, "2026-03-01T00:00:00Z"), run_of("early", 1)}, full);
    history.add(std::vector{made_eval()}, full + "-dirty");
    Run elsewhere = run_of("early", 3, "2026-02-01T00:00:00Z");
    elsewhere.cores = 64;
    history.add(std::vector{elsewhere}, "bb");
    history.add(std::vector{run_of("early", 4)}, full);
  }
  const History history = History::open(path);
  using Names = std::vector<std::string>;
  CHECK(history.rows({.kind = "eval"}).size() == 1);
  CHECK(models_of(history.rows({.commit = "b"})) == Names{"early"});
  CHECK(history.rows({.commit = "aa"}).size() == 4);
  CHECK(history.rows({.commit = full}).size() == 3);
  CHECK(models_of(history.rows({.commit = full, .latest_only = true})) == Names{"early", "late"});
  CHECK(history.rows({.commit = full, .model = "early", .latest_only = true})[0].run.median_ms == 4);
  CHECK(history.rows({.machine = machine_fingerprint(made_bench())}).size() == 4);
  CHECK(models_of(history.rows({.ids = {1}})) == Names{"late"});
  CHECK(history.rows({.model = "x' OR 1 --"}).empty());
}

TEST_CASE("prune keeps the latest of each key, or those of a time") {
  const TemporaryFolder folder;
  History history = History::open_or_make(folder.path() / "h.db");
  for (int month = 1; month <= 5; ++month) {
    const std::string at = fmt::format("2026-0{}-01T00:00:00Z", month);
    history.add(std::vector{run_of("a", month, at), run_of("b", month, at)}, fmt::format("c{}", month));
  }
  CHECK(history.prune({}, 4, "", true) == 2);
  CHECK(history.rows({}).size() == 10);
  CHECK(history.prune({.model = "b"}, 2, "", false) == 3);
  CHECK(history.rows({.model = "b"}).front().commit == "c4");
  CHECK(history.rows({.model = "a"}).size() == 5);
  CHECK(history.prune({}, 0, "2026-03-01T00:00:00Z", false) == 2);
  CHECK(history.rows({}).size() == 5);
  CHECK(history.prune({}, 1, "2020-01-01T00:00:00Z", false) == 3);
}

TEST_CASE("trends follow a measure over the commits") {
  const TemporaryFolder folder;
  History history = History::open_or_make(folder.path() / "h.db");
  history.add(std::vector{run_of("a", 3, "2026-01-03T00:00:00Z"), run_of("b", 9, "2026-01-02T00:00:00Z")},
              "c3");
  history.add(std::vector{run_of("a", 1, "2026-01-01T00:00:00Z")}, "c1");
  history.add(std::vector{run_of("a", 8, "2026-01-03T00:00:01Z"), run_of("a", 4, "2026-01-03T00:00:02Z")},
              "c3");
  history.add(std::vector{made_eval()}, "c3");
  const auto trends = trends_of(history.rows({}), "median_ms");
  REQUIRE(trends.size() == 2);
  CHECK(trends[1].model == "b");
  REQUIRE(trends[0].model == "a");
  REQUIRE(trends[0].points.size() == 2);
  CHECK(trends[0].points[0].commit == "c1");
  CHECK(trends[0].points[1].value == 4);  // the median of one commit's three
  CHECK(trends[0].points[1].measured_at == "2026-01-03T00:00:02Z");
  CHECK(trends_of(history.rows({}), "top1").size() == 1);
  CHECK(code_of([&] { trends_of({}, "median"); }) == ErrorCode::kUsage);
  CHECK(code_of([&] { trends_of({}, "model"); }) == ErrorCode::kUsage);
}

TEST_CASE("ancestors are told nearest first") {
  //   d - c - a     d is a merge of c and e
  //    \- e - a
  const std::string text = "d c e\ne a\nc b\nb a\na\n";
  CHECK(ancestors_in(text, "d") == std::vector<std::string>{"c", "e", "b", "a"});
  CHECK(ancestors_in(text, "a").empty());
}

TEST_CASE("a damaged or foreign file is refused, and nothing is made of it") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "h.db";
  CHECK(code_of([&] { History::open(path); }) == ErrorCode::kNotFound);
  CHECK_FALSE(fs::exists(path));

  write_text(path, std::string(5000, 'x'));
  CHECK(code_of([&] { History::open(path); }) == ErrorCode::kCorrupt);
  CHECK(code_of([&] { History::open_or_make(path); }) == ErrorCode::kCorrupt);

  const fs::path foreign = folder.path() / "foreign.db";
  execute(foreign, "CREATE TABLE t (a); PRAGMA application_id = 7");
  CHECK(code_of([&] { History::open_or_make(foreign); }) == ErrorCode::kCorrupt);
  const fs::path plain = folder.path() / "plain.db";
  execute(plain, "CREATE TABLE t (a)");
  CHECK(code_of([&] { History::open_or_make(plain); }) == ErrorCode::kCorrupt);
  write_text(folder.path() / "empty.db", "");
  CHECK(code_of([&] { History::open(folder.path() / "empty.db"); }) == ErrorCode::kCorrupt);

  const fs::path good = folder.path() / "good.db";
  History::open_or_make(good).add(std::vector{made_bench()}, "");
  execute(good, "UPDATE runs SET run = replace(run, '41.5', '40.5')");
  CHECK(code_of([&] { History::open(good).rows({}); }) == ErrorCode::kCorrupt);
  execute(good, "PRAGMA user_version = 3");
  CHECK(code_of([&] { History::open(good); }) == ErrorCode::kUnsupported);
}

TEST_CASE("a file cut off anywhere gives its rows or an error") {
  const TemporaryFolder folder;
  const fs::path whole = folder.path() / "whole.db", cut = folder.path() / "cut.db";
  std::vector<Run> runs;
  for (int i = 0; i < 20; ++i) runs.push_back(run_of(fmt::format("m{}", i), i));
  History::open_or_make(whole).add(runs, "c");
  const std::string text = read_text(whole);
  int refused = 0;
  for (size_t length = 0; length < text.size(); length += 1000) {
    write_text(cut, text.substr(0, length));
    const auto code = code_of([&] { History::open(cut).rows({}); });
    INFO(length);
    CHECK(code == ErrorCode::kCorrupt);
    if (code) ++refused;
  }
  CHECK(refused > 20);
  // A byte changed anywhere: no other run comes out.
  for (size_t at = 0; at < text.size(); at += 97) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    write_text(cut, damaged);
    try {
      const auto rows = History::open(cut).rows({});
      for (const HistoryRow& row : rows) CHECK(std::find(runs.begin(), runs.end(), row.run) != runs.end());
    } catch (const Error& error) {
      INFO(at << ": " << error.what());
      CHECK((error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported));
    }
  }
}

TEST_CASE("the history's place follows the environment") {
  const EnvironmentVariable home("HOME", "/home/u");
  const EnvironmentVariable data("XDG_DATA_HOME", "");
  const EnvironmentVariable own("SWINZOO_HISTORY", "");
  CHECK(default_history_path() == "/home/u/.local/share/swinzoo/history.db");
  const EnvironmentVariable other("XDG_DATA_HOME", "/data");
  CHECK(default_history_path() == "/data/swinzoo/history.db");
  const EnvironmentVariable named("SWINZOO_HISTORY", "/a/b.db");
  CHECK(default_history_path() == "/a/b.db");
}
