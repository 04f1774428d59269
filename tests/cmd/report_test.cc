#include "eval/report.h"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "eval/history.h"
#include "eval/run_writer.h"
#include "formats/atomic_file.h"
#include "tests/eval/made_runs.h"
#include "tests/process.h"
#include "tests/run_binary.h"

using namespace swinzoo;
using namespace swinzoo::eval;
namespace fs = std::filesystem;

namespace {

// A file that goes away with the test.
class Scratch {
 public:
  explicit Scratch(const std::string& name, const std::string& text = "")
      : path_(fs::temp_directory_path() / fmt::format("swinzoo-{}-{}", ::getpid(), name)) {
    if (!text.empty()) write_file(path_, text);
  }
  ~Scratch() { fs::remove(path_); }

  std::string path() const { return path_; }
  std::string text() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("report prints the results of several files in their order") {
  const std::vector<Run> runs = {made_bench(), made_eval()};
  const Scratch first("first.json", to_json(std::span(runs).first(1)));
  const Scratch second("second.json", to_json(std::span(runs).last(1)));
  const Result result = run_swinzoo({"report", first.path(), second.path()});
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  CHECK(result.out == to_report(runs));
}

TEST_CASE("report writes to a file and then prints its tables and path") {
  const std::vector<Run> runs = {made_bench()};
  const Scratch input("in.json", to_json(runs));
  const Scratch output("out.md");
  const Result result = run_swinzoo({"report", input.path(), "-o", output.path()});
  CHECK(result.status == 0);
  CHECK(result.out == to_text(runs) + "\nreport: " + output.path() + "\n");
  CHECK(output.text() == to_report(runs));
}

TEST_CASE("report refuses bad result files by name") {
  const std::string good = to_json(std::vector<Run>{made_bench()});
  const std::vector<std::string> bad = {
      "{",
      good.substr(0, good.size() / 2),
      R"({"results": []})",
      R"({"schema": 2, "results": []})",
      R"({"schema": 1, "results": [{"kind": "eval", "model": "m", "top1": "80"}]})",
  };
  for (const std::string& text : bad) {
    const Scratch input("bad.json", text);
    const Result result = run_swinzoo({"report", input.path()});
    CHECK(result.status == 5);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, Catch::Contains(input.path()));
  }
}

TEST_CASE("report says what is missing") {
  CHECK(run_swinzoo({"report"}).status == 2);
  const Result missing = run_swinzoo({"report", "/no/such/run.json"});
  CHECK(missing.status == 3);
  CHECK_THAT(missing.err, Catch::Contains("/no/such/run.json"));
  const Scratch none("none.json", R"({"schema": 1, "results": []})");
  CHECK(run_swinzoo({"report", none.path()}).status == 1);
}

TEST_CASE("a child's variables are ours with changes and its output may be large") {
  CHECK(run_swinzoo({"env"}, {{"PATH", ""}}).status == 0);
  Run run = made_bench();
  run.samples_ms.assign(100000, 1.25);
  const std::vector<Run> runs = {run};
  const Scratch input("large.json", to_json(runs));
  CHECK(run_swinzoo({"report", input.path()}).out.size() > 500000);
}

TEST_CASE("report makes one table of a collection, in three forms") {
  const std::string collection = "sayakpaul/swin/1", model = "sayakpaul/swin_tiny_patch4_window7_224";
  Run run = made_bench();
  run.model = model;
  run.error.clear();
  const Scratch input("bench.json", to_json(std::vector<Run>{run}));
  const std::vector<std::string> words = {"report", input.path(), "--collection", collection};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), words.begin(), words.end());
    return run_swinzoo(more);
  };
  const Result markdown = with({});
  CHECK(markdown.status == 0);
  CHECK_THAT(markdown.out,
             Catch::StartsWith("# " + collection + "\n") && Catch::Contains("| not measured |"));
  const Result csv = with({"--format", "csv"});
  CHECK(std::count(csv.out.begin(), csv.out.end(), '\n') == 27);  // the header, and 26 entries
  CHECK_THAT(csv.out, Catch::Contains("\n" + model + ",224x224,28288354,"));
  const Scratch page("page.html");
  const Result html = with({"--format", "html", "-o", page.path()});
  CHECK(html.out == "report: " + page.path() + "\n");
  CHECK_THAT(page.text(),
             Catch::StartsWith("<!DOCTYPE html>") && Catch::Contains("\"title\":\"" + collection));
  CHECK_THAT(run_swinzoo({"report", input.path(), "--format", "csv"}).out,
             Catch::Contains("\n" + model + ","));

  const Result unknown = run_swinzoo({"report", input.path(), "--collection", "nobody's"});
  CHECK(unknown.status == 3);
  CHECK_THAT(unknown.err, Catch::Contains("nobody's"));
  CHECK(with({"--history", "h.db"}).status == 2);
  CHECK(with({"--history", "/no/such.db", "--format", "html"}).status == 3);
}

TEST_CASE("report draws trends where asked: of the named history, else of the one that history writes") {
  const TemporaryFolder folder;
  const std::string default_file = folder.path() / "default.db", named = folder.path() / "named.db";
  fs::create_directories(folder.path() / "runs");
  Run run = made_bench();
  run.error.clear();
  for (const auto& [file, latest] : {std::pair(default_file, 12.5), std::pair(named, 99.5)}) {
    History history = History::open_or_make(file);
    run.median_ms = 10;
    history.add(std::vector{run}, "c1");
    run.median_ms = latest;
    history.add(std::vector{run}, "c2");
  }
  const std::string first = folder.path() / "runs" / "bench.json", second = folder.path() / "2.json";
  write_text(first, to_json(std::vector{run}));
  run.batch = 77;
  write_text(second, to_json(std::vector{run}));
  const auto page = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"report", "--format", "html"});
    const Result result = run_swinzoo(words, {{"SWINZOO_HISTORY", default_file}});
    INFO(result.err);
    CHECK(result.status == 0);
    return result.out;
  };
  const auto by_default = Catch::Contains("[1,12.5]"), by_name = Catch::Contains("[1,99.5]");
  CHECK_THAT(page({first}), !by_default && !by_name);
  CHECK_THAT(page({first, "--history"}), by_default);
  CHECK_THAT(page({"--history", folder.path() / "runs"}), by_default);
  CHECK_THAT(page({"--history", folder.path() / "runs/", second}), by_default && Catch::Contains(",77,"));
  CHECK_THAT(page({"--history", second, first}), by_default && Catch::Contains(",77,"));
  CHECK_THAT(page({"--history", named, first}), by_name && !by_default);
  CHECK_THAT(page({"--history=" + named, first}), by_name && !by_default);
  CHECK_THAT(page({first, "--history", named}), by_name && !by_default);
}
