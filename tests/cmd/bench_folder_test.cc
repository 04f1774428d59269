#include "cmd/bench_folder.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "eval/run_folder.h"
#include "tests/cmd/results.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::cmd;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

eval::Run timed(int64_t iterations, double seconds, std::optional<double> error) {
  eval::Run run;
  run.iterations = iterations;
  run.timed_seconds = seconds;
  run.median_error = error;
  return run;
}

struct Fixture {
  TemporaryFolder folder;
  std::string model = folder.path() / "mini";
  std::string runs = (folder.path() / "runs").string() + "/";

  Fixture() { write_model(model); }

  Result bench(std::vector<std::string> more) const {
    more.insert(more.begin(), {"bench", model, "--threads", "1", "--warmup", "0", "-o", runs, "--json"});
    return run_swinzoo(more, {{"XDG_CACHE_HOME", folder.path() / "cache"}});
  }
};

int64_t iterations_of(const Result& result) {
  const json::array results = results_of(result);
  REQUIRE(results.size() == 1);
  return as_int(results[0].at("iterations"), "iterations");
}

}  // namespace

TEST_CASE("a number of calls is asked of a run whatever their time, and no more than the most there can be") {
  eval::BenchOptions asked;
  asked.iterations = 20;
  CHECK(is_timed_enough(timed(20, 0.001, {}), asked));
  CHECK(is_timed_enough(timed(21, 0.001, {}), asked));
  CHECK_FALSE(is_timed_enough(timed(19, 100, 0), asked));
  CHECK_FALSE(is_timed_enough({}, asked));
  asked.iterations.reset();
  asked.seconds = 86400;
  CHECK(is_timed_enough(timed(eval::kMostIterations, 1, 100), asked));
}

TEST_CASE("a time is asked of a run with the least number of calls") {
  eval::BenchOptions asked;
  asked.seconds = 3;
  CHECK(is_timed_enough(timed(10, 3, 50), asked));
  CHECK_FALSE(is_timed_enough(timed(9, 300, 0), asked));
  CHECK_FALSE(is_timed_enough(timed(10'000, 2.9, 0), asked));
}

TEST_CASE("an error is asked of a run unless its time was up") {
  eval::BenchOptions asked;
  asked.seconds = 0.5;
  asked.most_seconds = 10;
  asked.target_error = 1;
  CHECK(is_timed_enough(timed(10, 0.5, 1), asked));
  CHECK(is_timed_enough(timed(10, 10, 7), asked));
  CHECK(is_timed_enough(timed(10, 10, {}), asked));
  CHECK_FALSE(is_timed_enough(timed(10, 9.9, 1.01), asked));
  CHECK_FALSE(is_timed_enough(timed(10, 9.9, {}), asked));
  CHECK_FALSE(is_timed_enough(timed(10, 0.4, 0.1), asked));
  CHECK_FALSE(is_timed_enough(timed(9, 0.5, 0.1), asked));
}

TEST_CASE("what was timed for less than is asked is timed again, and takes its place") {
  const Fixture made;
  CHECK(iterations_of(made.bench({"--iterations", "2"})) == 2);
  CHECK(iterations_of(made.bench({"--iterations", "5"})) == 5);
  CHECK(iterations_of(made.bench({"--iterations", "2"})) == 5);  // more will do
  CHECK(iterations_of(made.bench({"--seconds", "0"})) >= 10);
  const Result again = made.bench({"--seconds", "0"});
  CHECK_THAT(again.err, Contains("measured before"));
  CHECK(eval::read_all_runs(made.runs).size() == 1);
}

TEST_CASE("a damaged file of results fails its model only, and says what to do") {
  const Fixture made;
  const std::string other = made.folder.path() / "other";
  write_model(other, {.seed = 2});
  REQUIRE(made.bench({"--iterations", "1"}).status == 0);
  std::string file;
  for (const auto& entry : fs::recursive_directory_iterator(made.runs)) {
    if (entry.path().filename() == "bench.json") file = entry.path();
  }
  const std::string damaged = read_text(file).substr(0, 100);
  write_text(file, damaged);

  const Result result = made.bench({other, "--iterations", "1", "--batch", "1,2"});
  CHECK(result.status == 1);
  const json::array results = results_of(result);
  REQUIRE(results.size() == 4);
  for (const size_t row : {0, 1}) {
    CHECK_THAT(as_string(results[row].at("error"), "error"),
               Contains(file + ": ") && Contains("; delete " + file + " to have all of it measured anew"));
  }
  for (const size_t row : {2, 3}) CHECK(results[row].at("median_ms").is_number());
  CHECK(read_text(file) == damaged);
  CHECK(made.bench({other, "--iterations", "1", "--batch", "1,2"}).err.find("timing " + other) ==
        std::string::npos);

  const Result alone = made.bench({"--iterations", "1"});
  CHECK(alone.status == 5);
  CHECK_THAT(alone.err, Contains("; delete " + file));
  fs::remove(file);
  CHECK(made.bench({"--iterations", "1"}).status == 0);
}
