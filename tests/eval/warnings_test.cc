#include "eval/warnings.h"

#include <catch2/catch.hpp>

#include "tests/eval/made_runs.h"

using namespace swinzoo::eval;
using Catch::Matchers::Contains;

namespace {

// A run that nothing is to be said about.
Run quiet_run() {
  Run run = bare_run("bench");
  run.build_type = "Release";
  run.governor = "performance";
  run.turbo = false;
  run.threads = 2;
  run.cores = 2;
  run.iterations = 100;
  run.median_error = 0.5;
  run.drift = 1;
  run.steal = 0;
  run.other_load = 0;
  run.throttled = 0;
  return run;
}

// The only warning of a run that is changed in one way.
std::string warning_of(void (*change)(Run&), std::optional<double> target_error = 1) {
  Run run = quiet_run();
  change(run);
  const auto found = warnings_of(run, target_error);
  REQUIRE(found.size() == 1);
  return found.front();
}

}  // namespace

TEST_CASE("a run of a quiet machine, and one of which nothing is known, give no warning") {
  CHECK(warnings_of(quiet_run(), 1).empty());
  CHECK(warnings_of(bare_run("bench"), std::nullopt).empty());
}

TEST_CASE("each trouble is named with what helps") {
  CHECK_THAT(warning_of([](Run& run) { run.sanitizer = "address"; }), Contains("sanitizer (address)"));
  CHECK_THAT(warning_of([](Run& run) { run.build_type = "Debug"; }), Contains("a Debug build"));
  CHECK_THAT(warning_of([](Run& run) { run.governor = "powersave"; }),
             Contains("'powersave'") && Contains("cpupower frequency-set"));
  CHECK_THAT(warning_of([](Run& run) { run.turbo = true; }), Contains("turbo") && Contains("no_turbo"));
  CHECK_THAT(warning_of([](Run& run) { run.threads = 3; }), Contains("3 threads on 2 cores"));
  CHECK_THAT(warning_of([](Run& run) { run.other_load = 0.7; }), Contains("0.7 processors"));
  CHECK_THAT(warning_of([](Run& run) { run.steal = 2.5; }), Contains("2.5%") && Contains("steal"));
  CHECK_THAT(warning_of([](Run& run) { run.throttled = 4; }), Contains("4 times") && Contains("quota"));
  CHECK_THAT(warning_of([](Run& run) { run.drift = 3.25; }), Contains("3.2% slower"));
  CHECK_THAT(warning_of([](Run& run) { run.drift = -4; }), Contains("4.0% faster"));
  CHECK_THAT(warning_of([](Run& run) { run.iterations = 9; }), Contains("9 calls are too few"));
  CHECK_THAT(warning_of([](Run& run) { run.median_error = 1.5; }),
             Contains("1.5% only") && Contains("--max-seconds"));
}

TEST_CASE("what lies within the noise, or was asked for, is no trouble") {
  Run run = quiet_run();
  run.median_error = 3;
  run.drift = 5;  // less than twice the median's error
  CHECK(warnings_of(run, std::nullopt).empty());
  CHECK(warnings_of(run, 3).empty());
  CHECK(warnings_of(run, 2.9).size() == 1);
  run.median_error.reset();  // too few calls to tell
  CHECK(warnings_of(run, 1).empty());
}
