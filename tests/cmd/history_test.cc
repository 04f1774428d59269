// swinzoo history, by the real binary.
#include "eval/history.h"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <memory>

#include "eval/run_writer.h"
#include "formats/error.h"
#include "tests/cmd/results.h"
#include "tests/eval/made_runs.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// A git repository with a line of commits, and a history of this machine's beside it.
class Fixture {
 public:
  Fixture() {
    fs::create_directories(repo());
    git({"init", "-q", "-b", "main"});
    for (const char* name : {"first", "second", "third"}) {
      git({"commit", "-q", "--allow-empty", "-m", name});
    }
  }

  fs::path path(const std::string& name) const { return folder_.path() / name; }
  fs::path repo() const { return path("repo"); }
  std::string db() const { return path("h.db"); }

  // Results of this machine.
  std::string results(const std::string& name, double median) const {
    Run run = made_bench();
    run.model = "swin_mini";
    run.median_ms = median;
    set_machine(run, this_machine());
    write_text(path(name), to_json(std::vector{run}));
    return path(name);
  }

  std::string git(std::vector<std::string> words) const {
    words.insert(words.begin(),
                 {"/usr/bin/env", "git", "-C", repo(), "-c", "user.name=n", "-c", "user.email=e"});
    Process process(words, {{"GIT_CONFIG_GLOBAL", "/dev/null"}});
    const int status = process.wait();
    INFO(process.err());
    REQUIRE(status == 0);
    std::string out = process.out();
    return out.substr(0, out.find('\n'));
  }

  Result history(std::vector<std::string> words) const {
    words.insert(words.begin(), "history");
    return swinzoo(words);
  }

  // Within the repository.
  Result swinzoo(std::vector<std::string> words, const std::map<std::string, std::string>& env = {}) const {
    return swinzoo_in(repo(), std::move(words), env);
  }

  Result swinzoo_in(const fs::path& folder, std::vector<std::string> words,
                    std::map<std::string, std::string> env = {}) const {
    words.insert(words.begin(), {"/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder, SWINZOO_BINARY});
    env.emplace("SWINZOO_HISTORY", db());
    Process process(words, env);
    const int status = process.wait();
    return {status, process.out(), process.err()};
  }

 private:
  TemporaryFolder folder_;
};

std::vector<double> medians_of(const Result& result) {
  std::vector<double> medians;
  for (const json::value& run : results_of(result)) medians.push_back(run.at("median_ms").as_double());
  return medians;
}

}  // namespace

TEST_CASE("history keeps results by commit, and finds the nearest measured ancestor") {
  const Fixture fixture;
  const Result added = fixture.history({"add", fixture.results("1.json", 10.5), "--commit", "HEAD~2"});
  INFO(added.err);
  CHECK(added.status == 0);
  CHECK(added.out == fixture.db() + ": 1 added\n");
  CHECK(fixture.history({"add", fixture.path("1.json"), "--commit", "HEAD~2"}).out ==
        fixture.db() + ": 0 added, 1 there already\n");
  REQUIRE(fixture.history({"add", fixture.results("3.json", 30.5), "--commit", "HEAD"}).status == 0);

  CHECK(medians_of(fixture.history({"show", "--baseline", "--json"})) == std::vector{10.5});
  REQUIRE(fixture.history({"add", fixture.results("2.json", 20.5), "--commit", "main~1"}).status == 0);
  CHECK(medians_of(fixture.history({"show", "--baseline", "--json"})) == std::vector{20.5});
  CHECK(medians_of(fixture.history({"show", "--baseline", "HEAD~1", "--json"})) == std::vector{10.5});
  CHECK(medians_of(fixture.history({"show", "--commit", "HEAD", "--json"})) == std::vector{30.5});
  std::vector<std::string> show = {"show", "--json"};
  for (const json::value& row : results_of(fixture.history({"ls", "--json"}))) {
    if (row.at("median_ms") != 20.5) show.push_back(std::to_string(row.at("history_id").as_int64()));
  }
  CHECK(medians_of(fixture.history(show)) == std::vector{10.5, 30.5});

  const Result none = fixture.history({"show", "--baseline", "HEAD~2"});
  CHECK(none.status == 3);
  CHECK_THAT(none.err, Contains("no ancestor of " + fixture.git({"rev-parse", "HEAD~2"}) + " was measured"));
  CHECK(fixture.history({"show", "--baseline", "--machine", "0123456789abcdef"}).status == 3);
  write_text(fixture.path("elsewhere.json"), to_json(std::vector{made_bench()}));
  REQUIRE(fixture.history({"add", fixture.path("elsewhere.json"), "--commit", "HEAD~1"}).status == 0);
  CHECK(medians_of(fixture.history({"show", "--baseline", "--json"})).size() == 1);
  CHECK(medians_of(fixture.history({"show", "--baseline", "--machine", "any", "--json"})).size() == 2);
  CHECK(fixture.history({"show", "--commit", "HEAD", "--model", "other"}).status == 3);
  CHECK(fixture.history({"add", fixture.path("1.json"), "--commit", "no-such-branch"}).status == 3);
  CHECK(fixture.history({"add", fixture.path("none.json")}).status == 3);
}

TEST_CASE("the library gives compare the runs of a commit and of the baseline") {
  const Fixture fixture;
  REQUIRE(fixture.history({"add", fixture.results("1.json", 10.5), "--commit", "HEAD~1"}).status == 0);
  const std::string commit = fixture.git({"rev-parse", "HEAD~1"});
  const auto runs = runs_of_history(fixture.db(), commit);
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].median_ms == 10.5);
  CHECK_THROWS_AS(runs_of_history(fixture.db(), std::string(40, '0')), Error);
  CHECK_THROWS_AS(runs_of_history(fixture.db(), "baseline:" + std::string(40, '0')), Error);
}

TEST_CASE("compare takes what the history has of a commit and of the baseline") {
  const Fixture fixture;
  REQUIRE(fixture.history({"add", fixture.results("1.json", 10.5), "--commit", "HEAD~1"}).status == 0);
  for (const char* base : {"history:baseline", "history:HEAD~1", "history:baseline:HEAD"}) {
    const Result result = fixture.swinzoo({"compare", base, fixture.results("2.json", 20.5), "--json"});
    INFO(result.err);
    const json::value row = results_of(result).front();
    CHECK(row.at("base") == base);
    CHECK(row.at("measures").at(0).at("new_count").is_number());
  }
  CHECK(fixture.swinzoo({"compare", "history:HEAD~2", fixture.path("2.json")}).status == 3);

  const std::string other = fixture.path("other.db");
  REQUIRE(fixture.history({"add", fixture.path("1.json"), "--commit", "HEAD~2", "--history", other}).status ==
          0);
  const Result named =
      fixture.swinzoo({"compare", "history:HEAD~2", fixture.path("2.json"), "--history", other, "--json"});
  CHECK(results_of(named).front().at("base") == "history:HEAD~2");
}

TEST_CASE("a baseline has the nearest result of each configuration that is compared with it") {
  const Fixture fixture;
  const auto bench = [&](const char* name, int64_t batch, double latency) {
    Run run = made_bench();
    run.model = "swin_mini";
    run.batch = batch;
    run.load_average = 0;
    run.other_load.reset();
    run.steal.reset();
    set_timing(run, {3, std::vector<double>(200, latency), 1}, batch, {});
    set_machine(run, this_machine());
    write_text(fixture.path(name), to_json(std::vector{run}));
    return fixture.path(name).string();
  };
  Run eval = made_eval();
  set_machine(eval, this_machine());
  write_text(fixture.path("eval.json"), to_json(std::vector{eval}));
  const auto add = [&](const std::string& file, const char* commit) {
    REQUIRE(fixture.history({"add", file, "--commit", commit}).status == 0);
  };
  add(bench("old.json", 1, 90), "HEAD~2");
  add(bench("also_old.json", 2, 10), "HEAD~2");
  fixture.git({"commit", "-q", "--allow-empty", "-m", "fourth"});
  add(bench("base.json", 1, 10), "HEAD~2");
  add(fixture.path("eval.json"), "HEAD~1");

  const std::string slow = bench("slow.json", 1, 20);
  const Result result = fixture.swinzoo({"compare", "history:baseline", slow, "--json"});
  CHECK(result.status == 11);
  const json::array results = results_of(result);
  REQUIRE(results.size() == 2);  // what is nearest, and what the nearest that has it has of the new side's
  CHECK_THAT(to_json_line(results[0]), Contains("the new side has no such result"));
  CHECK(as_number(results[1].at("measures").at(0).at("base"), "base") == 10);
  CHECK(results[1].at("measures").at(0).at("verdict") == "worse");
  const Result unknown = fixture.swinzoo({"compare", "history:baseline", bench("new.json", 64, 20)});
  CHECK_THAT(unknown.out, Contains("not judged: base has no such result"));
}

TEST_CASE("where git fails there is an error, and not a first run") {
  const Fixture fixture;
  const std::string results = fixture.results("1.json", 10.5);
  REQUIRE(fixture.history({"add", results, "--commit", "HEAD"}).status == 0);
  const std::string head = fixture.git({"rev-parse", "HEAD"});
  const auto check = [&](const fs::path& folder, const std::map<std::string, std::string>& env,
                         const char* message) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{"history", "show", "--baseline"},
                                                  {"compare", "history:baseline", results}}) {
      const Result result = fixture.swinzoo_in(folder, words, env);
      INFO(words.front() << ": " << result.err);
      CHECK(result.status == 1);
      CHECK_THAT(result.err, Contains(message));
    }
  };
  check(fixture.repo(), {{"GIT_TEST_ASSUME_DIFFERENT_OWNER", "1"}}, "dubious ownership");
  check(fixture.repo(), {{"PATH", fixture.path("none")}}, "not installed");
  check(fixture.path(""), {{"GIT_CEILING_DIRECTORIES", fixture.path("..")}}, "not a git repository");

  const fs::path shallow = fixture.path("shallow");
  fixture.git({"commit", "-q", "--allow-empty", "-m", "fourth"});
  fixture.git({"commit", "-q", "--allow-empty", "-m", "fifth"});
  fixture.git({"clone", "-q", "--depth", "1", "file://" + fixture.repo().string(), shallow});
  check(shallow, {}, "fetch-depth: 0");
  CHECK(fixture.swinzoo({"history", "show", "--baseline"}).status == 0);
  CHECK(fixture.swinzoo({"history", "show", "--baseline", "HEAD~4"}).status == 3);

  const std::map<std::string, std::string> no_git = {{"PATH", fixture.path("none")}};
  CHECK(fixture.swinzoo({"history", "ls", "--commit", head.substr(0, 8)}, no_git).status == 0);
  CHECK(fixture.swinzoo({"history", "add", results, "--commit", head}, no_git).status == 0);
  CHECK(fixture.swinzoo({"history", "ls", "--commit", "main"}, no_git).status == 1);
}

TEST_CASE("names of images may be any bytes") {
  const Fixture fixture;
  Run run = made_eval();
  run.samples[0].path = "caf\xe9.jpg";
  set_machine(run, this_machine());
  write_text(fixture.path("1.json"), to_json(std::vector{run}));
  REQUIRE(fixture.history({"add", fixture.path("1.json"), "--commit", "HEAD", "--samples"}).status == 0);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"ls"}, {"show", "--samples", "--json"}, {"export"}}) {
    const Result result = fixture.history(words);
    INFO(words.front() << ": " << result.err);
    CHECK(result.status == 0);
  }
  CHECK_THAT(fixture.history({"export"}).out, Contains("caf\xe9.jpg"));
  REQUIRE(fixture.history({"export", "-o", fixture.path("all.json")}).status == 0);
  CHECK(read_runs(fixture.path("all.json")).at(0).samples == run.samples);
}

TEST_CASE("history add says what it left out, and what it was asked for and did not find") {
  const Fixture fixture;
  Run failed = made_eval(), bare = made_eval();
  failed.error = "the file is truncated";
  bare.samples.clear();
  const auto run_folder = [&](const char* name, const Run& run) {
    const fs::path folder = fixture.path(name) / "m" / "eval";
    write_text(folder / (run.error.empty() ? "result.json" : "failed.json"), to_json(std::vector{run}));
    return fixture.path(name).string();
  };
  const std::string bad = run_folder("bad", failed), good = run_folder("good", bare);
  CHECK(fixture.history({"add", bad, good, "--commit", "HEAD"}).out ==
        fixture.db() + ": 1 added, 1 failed and left out\n");
  CHECK(fixture.history({"add", bad, good, "--commit", "HEAD"}).out ==
        fixture.db() + ": 0 added, 1 there already, 1 failed and left out\n");
  CHECK(fixture.history({"add", good, "--commit", "HEAD"}).err.empty());
  CHECK_THAT(fixture.history({"add", good, "--commit", "HEAD", "--samples"}).err,
             Contains("hold no samples"));
}

TEST_CASE("evaluations that were added with --samples are compared image by image") {
  const Fixture fixture;
  Run run = made_eval();
  run.shard.clear();
  set_machine(run, this_machine());
  run.samples.clear();
  for (int i = 0; i < 20; ++i) {
    run.samples.push_back({fmt::format("{}.jpg", i), 1, {}, {1, 4, 2, 0, 3}, {}, {}});
  }
  set_accuracy(run, 20, 20, 20);
  write_text(fixture.path("new.json"), to_json(std::vector{run}));
  const std::vector<EvalSample> samples = std::exchange(run.samples, {});
  const fs::path eval = fixture.path("runs") / "m" / "eval";
  write_text(eval / "result.json", to_json(std::vector{run}));
  std::string lines;
  for (EvalSample sample : samples) {
    if (sample.path == "7.jpg") std::swap(sample.top5[0], sample.top5[1]);
    lines += to_json_line(to_object(sample)) + "\n";
  }
  write_text(eval / "samples.jsonl", lines);

  const auto kept = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"show", "--json", "--commit", "HEAD~1"});
    return results_of(fixture.history(words)).at(0).as_object().contains("samples");
  };
  const auto gained = [&] {
    const Result compared =
        fixture.swinzoo({"compare", "history:HEAD~1", fixture.path("new.json"), "--json"});
    const auto result = results_of(compared).at(0).as_object();
    const json::value* found = find_member(result, "gained");
    return found == nullptr ? std::string() : to_json_line(*found);
  };
  const std::string runs = fixture.path("runs");
  REQUIRE(fixture.history({"add", runs, fixture.path("new.json"), "--commit", "HEAD~1"}).status == 0);
  CHECK_FALSE(kept({"--samples"}));  // those of the document neither
  CHECK(gained().empty());
  CHECK(fixture.history({"add", runs, "--commit", "HEAD~1", "--samples"}).out ==
        fixture.db() + ": 1 added\n");
  CHECK(kept({"--samples"}));
  CHECK_FALSE(kept({}));
  CHECK_THAT(gained(), Contains("7.jpg"));
  CHECK(results_of(fixture.history({"ls", "--json"})).size() == 1);
  CHECK_THAT(fixture.history({"export"}).out, Contains("7.jpg"));
}

TEST_CASE("history lists, follows and exports") {
  const Fixture fixture;
  REQUIRE(fixture.history({"add", fixture.results("1.json", 10), "--commit", "HEAD~1"}).status == 0);
  REQUIRE(fixture.history({"add", fixture.results("2.json", 12.5), "--commit", "HEAD"}).status == 0);
  const std::string head = fixture.git({"rev-parse", "HEAD"});

  const Result ls = fixture.history({"ls"});
  CHECK(ls.status == 0);
  CHECK_THAT(ls.out, Contains(head.substr(0, 10)) && Contains("swin_mini") && Contains("12.500 ms") &&
                         Contains("batch=8"));
  CHECK(results_of(fixture.history({"ls", "--json", "--machine", "this"})).size() == 2);
  CHECK(results_of(fixture.history({"ls", "--json", "--kind", "eval"})).empty());

  const Result trend = fixture.history({"trend"});
  CHECK_THAT(trend.out, Contains("▁█") && Contains("+25.00 %") && Contains(head.substr(0, 10)));
  const json::array trends = results_of(fixture.history({"trend", "--measure", "median_ms", "--json"}));
  REQUIRE(trends.size() == 1);
  CHECK(trends[0].at("points").at(1).at("value") == 12.5);
  const Result wrong = fixture.history({"trend", "--measure", "medain_ms"});
  CHECK(wrong.status == 2);
  CHECK_THAT(wrong.err, Contains("did you mean 'median_ms'?"));
  CHECK(fixture.history({"trend", "--measure", "top1"}).status == 3);

  REQUIRE(fixture.history({"export", "-o", fixture.path("all.json")}).status == 0);
  CHECK(read_runs(fixture.path("all.json")).size() == 2);
  CHECK_THAT(read_text(fixture.path("all.json")), Contains("\"history_commit\": \"" + head + "\""));
  const Result csv = fixture.history({"export", "--format", "csv"});
  CHECK_THAT(csv.out, Catch::StartsWith("history_id,history_added_at,history_machine,history_commit,"
                                        "history_configuration,model,"));
  CHECK_THAT(csv.out, Contains("\n2,") && Contains("," + head + ","));

  CHECK(fixture.history({"prune"}).status == 2);
  CHECK(fixture.history({"prune", "--keep", "1", "--dry-run"}).out ==
        fixture.db() + ": 1 would be removed\n");
  CHECK(fixture.history({"prune", "--keep", "1"}).out == fixture.db() + ": 1 removed\n");
  CHECK(results_of(fixture.history({"ls", "--json"})).size() == 1);
}

TEST_CASE("several processes add to one history at the same time") {
  const TemporaryFolder folder;
  const std::string db = folder.path() / "new" / "h.db";
  constexpr int kWriters = 6, kRuns = 5;
  std::vector<std::unique_ptr<Process>> writers;
  for (int i = 0; i < kWriters; ++i) {
    std::vector<Run> runs(kRuns, made_bench());
    for (int k = 0; k < kRuns; ++k) runs[k].model = fmt::format("m{}_{}", i, k);
    const fs::path file = folder.path() / fmt::format("{}.json", i);
    write_text(file, to_json(runs));
    writers.push_back(std::make_unique<Process>(
        std::vector<std::string>{SWINZOO_BINARY, "history", "add", file, "--history", db},
        std::map<std::string, std::string>{}));
  }
  for (const auto& writer : writers) {
    const int status = writer->wait();
    INFO(writer->err());
    CHECK(status == 0);
  }
  CHECK(History::open(db).rows({}).size() == kWriters * kRuns);
}

TEST_CASE("a history that can not be written says so, by the exit status that fits") {
  const TemporaryFolder folder;
  const std::string db = folder.path() / "h.db", file = folder.path() / "r.json";
  std::vector<Run> runs(3, made_bench());
  runs[0].samples_ms.assign(20000, 1.23456789);
  write_text(file, to_json(runs));
  const std::vector<std::string> add = {"history", "add", file, "--history", db};

  const std::string limited = "ulimit -f 40; exec \"$0\" history add \"$1\" --history \"$2\"";
  Process full({"/bin/bash", "-c", limited, SWINZOO_BINARY, file, db}, {});
  CHECK(full.wait() == 6);
  CHECK_THAT(full.err(), Contains(db) && Contains("no space left"));
  CHECK(run_swinzoo({"history", "ls", "--history", db, "--json"}).status == 0);  // all of it or nothing
  CHECK(History::open(db).rows({}).empty());

  REQUIRE(run_swinzoo(add).status == 0);
  const std::string text = read_text(db);
  write_text(db, text.substr(0, text.size() / 2));
  const Result damaged = run_swinzoo({"history", "ls", "--history", db});
  CHECK(damaged.status == 5);
  CHECK_THAT(damaged.err, Contains(db));
  CHECK(run_swinzoo({"history", "ls", "--history", folder.path() / "none.db"}).status == 3);
  CHECK(run_swinzoo({"history", "prune", "--keep", "1", "--history", folder.path() / "none.db"}).status == 3);
  CHECK(run_swinzoo({"history"}).status == 2);
}

TEST_CASE("a read-only history is read and not written") {
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "place";
  const std::string db = place / "h.db", file = folder.path() / "r.json";
  write_text(file, to_json(std::vector{made_bench()}));
  REQUIRE(run_swinzoo({"history", "add", file, "--history", db}).status == 0);
  fs::permissions(db, fs::perms(0444));
  fs::permissions(place, fs::perms(0555));
  fs::permissions(folder.path(), fs::perms(0755));
  std::vector<std::string> words = {SWINZOO_BINARY, "history", "ls", "--history", db};
  if (::geteuid() == 0) {  // root may write everything
    words.insert(words.begin(), {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
  }
  Process ls(words, {});
  CHECK(ls.wait() == 0);
  CHECK_THAT(ls.out(), Contains("ms"));
  *std::find(words.begin(), words.end(), "ls") = "add";
  words.push_back(file);
  words.insert(words.end(), {"--commit", std::string(40, 'b')});
  Process add(words, {});
  CHECK(add.wait() == 1);
  CHECK_THAT(add.err(), Contains(db) && Contains("readonly"));
  fs::permissions(place, fs::perms(0755));
}
