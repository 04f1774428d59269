// The recipes of docs/ci.md: their steps are taken from the page and run, with the real binary, a small model
// from a hub on loopback and a repository of their own.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>

#include "eval/history.h"
#include "eval/run_writer.h"
#include "tests/hub_server.h"
#include "tests/made_model.h"
#include "tests/process.h"
#include "tests/run_binary.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// The first block of YAML after a heading of docs/ci.md.
std::vector<std::string> recipe(const std::string& heading) {
  const std::string page = read_text(fs::path(SWINZOO_SOURCE_DIR) / "docs" / "ci.md");
  const size_t begin = page.find("```yaml\n", page.find("\n## " + heading)) + 8;
  std::istringstream text(page.substr(begin, page.find("```", begin) - begin));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

size_t indent_of(const std::string& line) { return std::min(line.find_first_not_of(' '), line.size()); }

// The text of a value that begins at line `at`, after `key`: the rest of the line, or a block ("|") below it.
std::string value_at(const std::vector<std::string>& lines, size_t at, const std::string& key) {
  const std::string rest = lines[at].substr(lines[at].find(key) + key.size());
  if (rest != "|") return rest;
  const size_t indent = indent_of(lines[at + 1]);
  std::string block;
  for (size_t i = at + 1; i < lines.size() && indent_of(lines[i]) >= indent; ++i) {
    block += lines[i].substr(indent) + "\n";
  }
  return block;
}

struct Step {
  std::string name;
  std::string script;
};

std::vector<Step> github_steps() {
  const auto lines = recipe("GitHub Actions");
  std::vector<Step> steps;
  std::string name;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with("      - name: ")) name = lines[i].substr(14);
    if (lines[i].starts_with("        run: ")) steps.push_back({name, value_at(lines, i, "run: ")});
  }
  return steps;
}

std::vector<Step> gitlab_steps() {
  const auto lines = recipe("GitLab");
  std::vector<Step> steps;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with("    - ")) steps.push_back({"script", value_at(lines, i, "- ")});
  }
  return steps;
}

// A runner: a clone, a hub, and a history that stays.
class Runner {
 public:
  Runner() : server_(fixture_.root()) {
    write_model(fixture_.repo(), {.num_classes = 10});
    fs::create_directories(clone());
    run("git init -q -b main");
    fs::create_directory_symlink(fs::path(SWINZOO_BINARY).parent_path(), folder_.path() / "bin");
    commit();
  }

  fs::path clone() const { return folder_.path() / "clone"; }
  std::string history() const { return folder_.path() / "h.db"; }
  std::string summary() const { return read_text(folder_.path() / "summary.md"); }

  void commit() {
    run("git -c user.name=n -c user.email=e commit -q --allow-empty -m message && rm -rf runs base.json");
  }

  // As the services run a step.
  Result step(const std::string& script) const {
    auto env = fixture_.env(server_.url());
    env.insert({{"MODEL", "hf:acme/mini"},
                {"DATA", std::string(SWINZOO_TEST_DATA) + "/imagenet_mini"},
                {"SECONDS_EACH", "0.2"},
                {"SWINZOO_HISTORY", history()},
                {"GITHUB_STEP_SUMMARY", folder_.path() / "summary.md"},
                {"GITHUB_REF", "refs/heads/main"},
                {"CI_COMMIT_BRANCH", "main"},
                {"CI_DEFAULT_BRANCH", "main"},
                {"GIT_CONFIG_GLOBAL", "/dev/null"}});
    Process process(
        {"/bin/bash", "-c", "cd \"$1\" && PATH=$2:$PATH exec bash --noprofile --norc -eo pipefail -c \"$3\"",
         "bash", clone(), folder_.path() / "bin", script},
        env);
    const int status = process.wait();
    return {status, process.out(), process.err()};
  }

  void run(const std::string& script) const {
    const Result result = step(script);
    INFO(script << "\n" << result.err);
    REQUIRE(result.status == 0);
  }

 private:
  TemporaryFolder folder_;
  HubFixture fixture_;
  HubServer server_;
};

// The status of the first step that fails, as the job's is.
int run_job(const Runner& runner, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    const Result result = runner.step(step.script);
    if (result.status == 0) continue;
    WARN(step.name << ": " << result.status << "\n" << result.out << result.err);
    return result.status;
  }
  return 0;
}

size_t kept_commits(const Runner& runner) {
  std::vector<std::string> commits;
  for (const HistoryRow& row : History::open(runner.history()).rows({})) commits.push_back(row.commit);
  std::sort(commits.begin(), commits.end());
  return static_cast<size_t>(std::unique(commits.begin(), commits.end()) - commits.begin());
}

}  // namespace

TEST_CASE("the steps of docs/ci.md for GitHub run") {
  const auto steps = github_steps();
  REQUIRE(steps.size() == 5);
  CHECK(steps[3].name == "Compare");
  Runner runner;
  CHECK(run_job(runner, steps) == 0);
  CHECK(runner.summary() == "No ancestor was measured on this machine yet.\n");
  CHECK(kept_commits(runner) == 1);
  CHECK_THAT(read_text(runner.clone() / "report.html"), Contains("</html>"));
  // The next one is the same: its tiny timings differ, and are no reason for an alarm.
  runner.commit();
  const int status = run_job(runner, steps);
  CHECK(status == 0);
  const bool is_sure = runner.summary().find("compare: no regression") != std::string::npos;
  CHECK(kept_commits(runner) == (is_sure ? 2 : 1));
}

TEST_CASE("the script of docs/ci.md for GitLab runs") {
  const auto steps = gitlab_steps();
  REQUIRE(steps.size() == 5);
  CHECK_THAT(steps[3].script, Contains("swinzoo compare"));
  Runner runner;
  CHECK(run_job(runner, steps) == 0);
  CHECK(kept_commits(runner) == 1);
  CHECK_THAT(read_text(runner.clone() / "report.html"), Contains("</html>"));
}

TEST_CASE("the recipes fail a slower and a less accurate commit") {
  const auto steps = github_steps();
  Runner runner;
  for (size_t i = 0; i < 3; ++i) runner.run(steps[i].script);
  // The baseline: every image right, and calls of one length.
  std::vector<Run> accurate = read_runs(runner.clone() / "runs" / "result.json");
  for (EvalSample& sample : accurate.at(0).samples) sample.top5 = {sample.label.value_or(0)};
  const int64_t count = accurate[0].count.value_or(0);
  accurate[0].top1 = accurate[0].top1_low = accurate[0].top1_high = 100;
  const std::vector<Run> fast = read_runs(runner.clone() / "runs" / "1" / "bench.json");
  const auto write_scaled = [&](double factor, double other_load = 0) {
    for (const int repeat : {1, 2, 3}) {
      std::vector<Run> runs = fast;
      for (Run& run : runs) {
        std::vector<double> ms;
        for (int i = 0; i < 200; ++i) ms.push_back(factor * (100 + i % 7 + 0.2 * repeat));
        set_timing(run, {3, ms, 1}, run.batch.value_or(1), {});
        run.load_average = 0;  // this machine may be busy, so that nothing could be concluded
        run.other_load = other_load;
        run.steal.reset();
      }
      write_text(runner.clone() / "runs" / std::to_string(repeat) / "bench.json", to_json(runs));
    }
  };
  CHECK(count == 20);
  const std::string right = to_json(accurate);
  const auto results = runner.clone() / "runs";
  write_text(results / "result.json", right);
  write_scaled(1);
  runner.run("swinzoo history add runs/ --commit HEAD --samples");

  runner.commit();
  for (size_t i = 1; i < 3; ++i) runner.run(steps[i].script);
  const std::string wrong = read_text(results / "result.json");
  write_scaled(1);
  CHECK(runner.step(steps[3].script).status == 10);
  write_text(results / "result.json", right);
  write_scaled(1, 2);
  const Result inconclusive = runner.step(steps[3].script);
  CHECK(inconclusive.status == 0);
  CHECK_THAT(inconclusive.out, Contains("::warning::The comparison is inconclusive."));
  CHECK(kept_commits(runner) == 1);
  for (const std::string& script : {steps[3].script, gitlab_steps().at(3).script}) {
    CHECK(runner.step("export GIT_TEST_ASSUME_DIFFERENT_OWNER=1\n" + script).status == 1);
  }
  write_scaled(1);
  CHECK(runner.step("export GITHUB_REF=refs/pull/1/merge\n" + steps[3].script).status == 0);
  CHECK(kept_commits(runner) == 1);
  CHECK(runner.step(steps[3].script).status == 0);
  CHECK(kept_commits(runner) == 2);
  write_scaled(1.3);
  CHECK(runner.step(steps[3].script).status == 11);
  CHECK_THAT(runner.summary(), Contains("|"));
  write_text(results / "result.json", wrong);
  CHECK(runner.step(steps[3].script).status == 10);
  CHECK(runner.step(gitlab_steps().at(3).script).status == 10);
  CHECK_THAT(read_text(runner.clone() / "junit.xml"), Contains("<failure"));
  CHECK(kept_commits(runner) == 2);
}
