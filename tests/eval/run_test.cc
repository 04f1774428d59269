#include "eval/run.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "eval/run_writer.h"
#include "eval/statistics.h"
#include "formats/error.h"
#include "tests/eval/made_runs.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

void check_corrupt(const std::string& text, const std::string& message) {
  try {
    runs_of(parse_json(text, "r.json"), "r.json");
    FAIL("read: " << text);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kCorrupt);
    CHECK_THAT(error.what(), Catch::Contains("r.json") && Catch::Contains(message));
  }
}

std::string document_of(const std::string& result) { return R"({"schema": 1, "results": [)" + result + "]}"; }

// The rows of docs/results.md as they follow from a struct's fields.
template <typename T>
std::string documentation_of() {
  const T none;
  std::string rows;
  visit_fields(none, [&](const Field& field, const auto&) {
    rows += fmt::format("| `{}` | {} | {} | {} |\n", field.name, field.unit,
                        *field.kind == 0 ? "both" : field.kind, field.about);
  });
  return rows;
}

}  // namespace

TEST_CASE("made runs have every field set") {
  const Run bench = made_bench();
  const Run eval = made_eval();
  std::set<std::string> missing;
  visit_fields(bench, [&](const Field& field, const auto& member) {
    if (std::string_view(field.kind) != "eval" && to_value(member).is_null()) missing.insert(field.name);
  });
  visit_fields(eval, [&](const Field& field, const auto& member) {
    if (std::string_view(field.kind) != "bench" && to_value(member).is_null()) missing.insert(field.name);
  });
  CHECK(missing == std::set<std::string>{"error"});
}

TEST_CASE("runs come back from their JSON as they were and give the same JSON again") {
  const std::vector<Run> runs = {made_bench(), made_eval(), bare_run("eval")};
  const std::string text = to_json(runs);
  const std::vector<Run> read = runs_of(parse_json(text, "r.json"), "r.json");
  CHECK(read == runs);
  CHECK(to_json(read) == text);
  CHECK(parse_json(text, "r.json").at("schema") == 1);
  CHECK(runs_of(parse_json(to_json({}), "r.json"), "r.json").empty());
}

TEST_CASE("every truncation of a result file is refused") {
  const std::string text = to_json(std::vector<Run>{made_eval()});
  const size_t end = text.find_last_of('}');
  for (size_t length = 0; length <= end; ++length) {
    CHECK_THROWS_AS(runs_of(parse_json(text.substr(0, length), "r.json"), "r.json"), Error);
  }
}

TEST_CASE("result files that are not ours are refused by name") {
  check_corrupt("[]", "expected an object");
  check_corrupt("{}", "\"schema\": expected 1, found none");
  check_corrupt(R"({"results": []})", "\"schema\": expected 1, found none");
  check_corrupt(R"({"schema": 2, "results": []})", "\"schema\": expected 1, found 2");
  check_corrupt(R"({"schema": "1", "results": []})", "\"schema\": expected a whole number");
  check_corrupt(R"({"schema": 1})", "\"results\": expected an array, found none");
  check_corrupt(R"({"schema": 1, "results": {}})", "\"results\": expected an array");
  check_corrupt(document_of("7"), "results[0]: expected an object");
  check_corrupt(document_of(R"({"model": "m"})"), "results[0]: \"kind\"");
  check_corrupt(document_of(R"({"kind": "race", "model": "m"})"), "found \"race\"");
  check_corrupt(document_of(R"({"kind": "eval"})"), "results[0]: \"model\"");
  check_corrupt(document_of(R"({"kind": "eval", "model": 3})"), "results[0]: \"model\": expected a string");
  const std::string good = R"({"kind": "bench", "model": "m"}, )";
  check_corrupt(document_of(good + R"({"kind": "eval", "model": "m", "top1": "80"})"),
                "results[1]: \"top1\": expected a number, found \"80\"");
  check_corrupt(document_of(R"({"kind": "bench", "model": "m", "samples_ms": [1, null]})"), "\"samples_ms\"");
  check_corrupt(document_of(R"({"kind": "bench", "model": "m", "threads": 1.5})"), "\"threads\"");
}

TEST_CASE("what a later version adds to a result is left alone") {
  const auto runs = runs_of(parse_json(R"({"schema": 1, "by": "x", "results": [{"kind": "eval", "model": "m",
                                           "top1": 80, "joules": {"a": 1}}]})",
                                       "r.json"),
                            "r.json");
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].top1 == 80.0);
}

TEST_CASE("a result file that is not there is not found") {
  try {
    read_runs("/no/such/run.json");
    FAIL("read");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kNotFound);
  }
}

TEST_CASE("timing figures follow from the samples") {
  Run run;
  set_timing(run, {2, {10, 40, 20, 30}, 0.1}, 4, 2'000'000'000);
  CHECK(run.batch == 4);
  CHECK(run.warmup == 2);
  CHECK(run.iterations == 4);
  CHECK(run.median_ms == 25.0);
  CHECK(run.p50_ms == 25.0);
  CHECK(run.mean_ms == 25.0);
  CHECK(run.min_ms == 10.0);
  CHECK(run.max_ms == 40.0);
  CHECK(*run.stddev_ms == Approx(12.909944487358056));
  CHECK(*run.p95_ms == Approx(38.5));
  CHECK(run.timed_seconds == 0.1);
  CHECK(run.images_per_second == 160.0);
  CHECK(run.gmacs_per_second == 320.0);
  CHECK(run.samples_ms == std::vector<double>{10, 40, 20, 30});

  Run overlapping;
  set_timing(overlapping, {2, {10, 40, 20, 30}, 0.05}, 4, 2'000'000'000);
  CHECK(overlapping.mean_ms == 25.0);
  CHECK(overlapping.images_per_second == 320.0);
  CHECK(overlapping.gmacs_per_second == 640.0);

  Run once;
  set_timing(once, {0, {5}, 0.005}, 1, std::nullopt);
  CHECK(once.median_ms == 5.0);
  CHECK_FALSE(once.stddev_ms.has_value());
  CHECK_FALSE(once.gmacs_per_second.has_value());
}

TEST_CASE("accuracy figures complete each other") {
  Run run;
  set_accuracy(run, 8, 5, 7);
  CHECK(run.count == 8);
  CHECK(run.top1 == 62.5);
  CHECK(run.top1_err == 37.5);
  CHECK(run.top5_err == 12.5);
  CHECK(*run.top1_low == Approx(100 * wilson_interval(5, 8).low));
  CHECK(*run.top1_high == Approx(100 * wilson_interval(5, 8).high));
  CHECK(*run.top5_low == Approx(100 * wilson_interval(7, 8).low));
  CHECK(*run.top5_high == Approx(100 * wilson_interval(7, 8).high));
  Run none;
  set_accuracy(none, 0, 0, 0);
  CHECK(none.count == 0);
  CHECK_FALSE(none.top1.has_value());
}

TEST_CASE("a run takes its model from the spec and its machine from the machine") {
  zoo::ModelSpec spec;
  spec.id = "some/entry";
  spec.architecture = "swin_x";
  spec.collection = "c/1";
  spec.dimensions.image_size = 384;
  spec.num_classes = 10;
  spec.preprocessing = {
      .crop_pct = 1.0, .crop_mode = zoo::CropMode::kSquash, .interpolation = zoo::Interpolation::kBilinear};
  Machine machine;
  machine.cpu = "X";
  machine.available_cores = 5;
  machine.commit = "abc";
  Run run;
  set_model(run, spec);
  set_machine(run, machine);
  CHECK(run.model == "some/entry");
  CHECK(run.architecture == "swin_x");
  CHECK(run.collection == "c/1");
  CHECK(run.image_size == 384);
  CHECK(run.num_classes == 10);
  CHECK(run.crop_pct == 1.0);
  CHECK(run.crop_mode == "squash");
  CHECK(run.interpolation == "bilinear");
  CHECK(run.cpu == "X");
  CHECK(run.cores == 5);
  CHECK(run.commit == "abc");
}

TEST_CASE("times are written in UTC") {
  CHECK(utc_text(std::chrono::system_clock::from_time_t(0)) == "1970-01-01T00:00:00Z");
  CHECK(utc_text(std::chrono::system_clock::from_time_t(1709210096)) == "2024-02-29T12:34:56Z");
}

TEST_CASE("the documentation lists every field with its unit and meaning") {
  std::ifstream file(SWINZOO_SOURCE_DIR "/docs/results.md");
  std::stringstream text;
  text << file.rdbuf();
  CHECK_THAT(text.str(), Catch::Contains(documentation_of<Run>()));
  std::ifstream env_file(SWINZOO_SOURCE_DIR "/docs/env.md");
  std::stringstream env;
  env << env_file.rdbuf();
  const std::string results = text.str();
  const auto check_documented = [&](const Field& field, const auto&) {
    CHECK_THAT(results,
               Catch::Contains(fmt::format("| `{}` | {} | {} |\n", field.name, field.unit, field.about)));
  };
  const EvalSample sample;
  visit_fields(sample, check_documented);
  const ClassAccuracy of_class;
  visit_fields(of_class, check_documented);
  const PublishedFigure figure;
  visit_fields(figure, check_documented);
  const Profile profile;
  visit_fields(profile, check_documented);
  visit_fields(profile.total, check_documented);
  visit_fields(profile.roof, check_documented);
  const Machine none;
  visit_fields(none, [&](const Field& field, const auto&) {
    CHECK_THAT(env.str(),
               Catch::Contains(fmt::format("| `{}` | {} | {} |\n", field.name, field.unit, field.about)));
  });
}
