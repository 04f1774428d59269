// swinzoo bench, by the real binary. Nothing here depends on how long anything takes.
#include <catch2/catch.hpp>

#include "tests/cmd/results.h"
#include "tests/has_precision.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

struct Fixture {
  TemporaryFolder folder;
  std::string model = folder.path() / "mini";

  Fixture() { write_model(model); }

  Result bench(std::vector<std::string> more) const {
    more.insert(more.begin(), {"bench", model, "--iterations", "3", "--warmup", "0"});
    return run_swinzoo(more);
  }
};

}  // namespace

TEST_CASE("bench gives every figure and its samples") {
  const Fixture made;
  const json::array results = results_of(made.bench({"--threads", "1", "--json"}));
  REQUIRE(results.size() == 1);
  const json::object& run = results[0].as_object();
  CHECK(run.at("kind") == "bench");
  CHECK(run.at("iterations") == 3);
  CHECK(run.at("warmup") == 0);
  CHECK(run.at("batch") == 1);
  CHECK(run.at("threads") == 1);
  CHECK(run.at("streams") == 1);
  const json::array& samples = run.at("samples_ms").as_array();
  REQUIRE(samples.size() == 3);
  for (const json::value& sample : samples) {
    CHECK(as_number(sample, "sample") >= as_number(run.at("min_ms"), "min"));
    CHECK(as_number(sample, "sample") <= as_number(run.at("max_ms"), "max"));
  }
  CHECK(run.at("p50_ms") == run.at("median_ms"));
  for (const char* field : {"model",
                            "architecture",
                            "image_size",
                            "num_classes",
                            "params",
                            "macs",
                            "activations",
                            "weights_digest",
                            "backend",
                            "isa",
                            "precision",
                            "preprocessing",
                            "started_at",
                            "cpu",
                            "cores",
                            "swinzoo_version",
                            "commit",
                            "compiler",
                            "build_type",
                            "mean_ms",
                            "stddev_ms",
                            "p90_ms",
                            "p95_ms",
                            "p99_ms",
                            "timed_seconds",
                            "images_per_second",
                            "gmacs_per_second",
                            "load_ms",
                            "peak_memory_mb"}) {
    INFO(field);
    CHECK(run.contains(field));
  }
}

TEST_CASE("bench measures each batch with each number of threads") {
  const Fixture made;
  const Result result = made.bench({"--batch", "1,2", "--threads", "1,2", "--json"});
  std::vector<std::pair<int64_t, int64_t>> configurations;
  for (const json::value& run : results_of(result)) {
    configurations.emplace_back(as_int(run.at("threads"), "threads"), as_int(run.at("batch"), "batch"));
  }
  CHECK(configurations == std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {1, 2}, {2, 1}, {2, 2}});
  CHECK_THAT(result.err, Contains("batch 2, 2 threads"));
}

TEST_CASE("what bench writes with -o is its JSON and feeds report") {
  const Fixture made;
  const std::string file = made.folder.path() / "run.json";
  const Result result = made.bench({"-o", file, "--json", "-q"});
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  CHECK(read_text(file) == result.out);
  const Result report = run_swinzoo({"report", file});
  CHECK(report.status == 0);
  CHECK_THAT(report.out, Contains(to_json_line(results_of(result)[0].at("median_ms"))) && Contains("mini"));
}

TEST_CASE("bench runs the reference; a model without a head; and one of another number of channels") {
  const Fixture made;
  CHECK(results_of(made.bench({"--backend", "reference", "--json"}))[0].at("isa") == "none");
  const std::string other = made.folder.path() / "other";
  write_model(other, {.num_classes = 0, .in_chans = 1});
  const Result result = run_swinzoo({"bench", other, "--iterations", "1", "--warmup", "0", "--json"});
  CHECK(result.status == 0);
  CHECK(results_of(result)[0].at("num_classes") == 0);
}

TEST_CASE("bench of several models of which one fails measures the others and ends in 1") {
  const Fixture made;
  const Result result = made.bench({"microsoft/swinv2-tiny-patch4-window8-256", "--json"});
  CHECK(result.status == 1);
  CHECK(results_of(result).size() == 1);
  CHECK_THAT(result.err, Contains("swinv2"));
}

TEST_CASE("bench of several streams gives the latencies of calls and the throughput of all") {
  const Fixture made;
  const Result result = run_swinzoo({"bench", made.model, "--streams", "2", "--threads", "2,3", "--batch",
                                     "4", "--iterations", "5", "--warmup", "0", "--json"});
  const json::array results = results_of(result);
  REQUIRE(results.size() == 2);
  for (const json::value& each : results) {
    const json::object& run = each.as_object();
    CHECK(run.at("streams") == 2);
    CHECK(run.at("iterations") == 6);  // as many for each stream
    const json::array& samples = run.at("samples_ms").as_array();
    CHECK(samples.size() == 6);
    const double seconds = as_number(run.at("timed_seconds"), "timed_seconds");
    CHECK(as_number(run.at("images_per_second"), "it") == Approx(4 * 6 / seconds));
    double sum = 0;
    for (const json::value& sample : samples) sum += as_number(sample, "sample");
    CHECK(sum / 1000 <= 2 * seconds);  // two calls at a time
    CHECK(as_number(run.at("max_ms"), "max") / 1000 <= seconds);
  }
  CHECK(results[1].at("threads") == 3);
  CHECK_THAT(result.err, Contains("2 threads, 2 streams"));
  CHECK_THAT(made.bench({"--streams", "2", "--threads", "2"}).out, Contains("Threads  Streams  Batch"));
}

TEST_CASE("bench --profile gives the time of each step beside its MACs, its bytes and the roof") {
  const Fixture made;
  const std::map<std::string, std::string> env = {{"XDG_CACHE_HOME", made.folder.path() / "cache"}};
  const auto profile_of = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"bench", made.model, "--iterations", "3", "--warmup", "0", "--profile", "-q"});
    return run_swinzoo(more, env);
  };
  const json::object run = results_of(profile_of({"--batch", "2", "--json"}))[0].as_object();
  const json::object& profile = run.at("profile").as_object();
  const json::object counted =
      results_of(run_swinzoo({"count", made.model, "--by-block", "--json"}))[0].as_object();
  const json::array& by_step = profile.at("by_step").as_array();
  const json::array& blocks = counted.at("by_block").as_array();
  REQUIRE(by_step.size() == blocks.size());
  int64_t macs = 0;
  for (size_t i = 0; i < blocks.size(); ++i) {
    CHECK(by_step[i].at("name") == blocks[i].at("name"));
    CHECK(as_int(by_step[i].at("macs"), "macs") == 2 * as_int(blocks[i].at("macs"), "macs"));
    CHECK(as_int(by_step[i].at("bytes"), "bytes") > 0);
    CHECK(as_number(by_step[i].at("roof_share"), "roof_share") > 0);
    macs += as_int(by_step[i].at("macs"), "macs");
  }
  CHECK(profile.at("total").at("macs") == macs);
  CHECK(profile.at("by_kind").as_array().size() == 7);
  CHECK(profile.at("roof").at("isa") == run.at("isa"));
  CHECK(profile.at("roof").at("threads") == run.at("threads"));

  const json::value kept = read_json(made.folder.path() / "cache/swinzoo/roof.json");
  CHECK(kept.at("roofs").at(0) == profile.at("roof"));
  CHECK(results_of(profile_of({"--json"}))[0].at("profile").at("roof") == profile.at("roof"));
  const Result text = profile_of({});
  CHECK_THAT(text.out, Contains("kind of step") && Contains("patch_merging") &&
                           Contains("layers.0.blocks.1.mlp   mlp ") && Contains("\ntotal "));
  CHECK_FALSE(results_of(made.bench({"--json"}))[0].as_object().contains("profile"));
  CHECK(profile_of({"--streams", "2", "--threads", "2"}).status == 2);
  CHECK(profile_of({"--streams", "1"}).status == 0);
}

TEST_CASE("bench names the precision that ran, and a backend without the one asked for ends in 7") {
  const Fixture made;
  CHECK(results_of(made.bench({"--json"}))[0].at("precision") == "fp32");
  CHECK_THAT(made.bench({}).out, Contains("fp32"));
  CHECK(made.bench({"--backend", "reference", "--precision", "bf16"}).status == 7);
  const Result bf16 = made.bench({"--precision", "bf16", "--json"});
  if (has_precision(backends::Precision::kBf16)) {
    CHECK(results_of(bf16)[0].at("precision") == "bf16");
  } else {
    CHECK(bf16.status == 7);
    CHECK(bf16.out.empty());
    CHECK_THAT(bf16.err, Contains("BF16"));
  }
}

TEST_CASE("bench refuses impossible counts") {
  const Fixture made;
  const auto status = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"bench", made.model};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result result = run_swinzoo(arguments);
    CHECK(result.out.empty());
    return result.status;
  };
  CHECK(status({"--iterations", "0"}) == 2);
  CHECK(status({"--iterations", "1000001"}) == 2);
  CHECK(status({"--warmup", "-1"}) == 2);
  CHECK(status({"--batch", "0"}) == 2);
  CHECK(status({"--batch", "1,x"}) == 2);
  CHECK(status({"--threads", "0"}) == 2);
  CHECK(status({"--streams", "0"}) == 2);
  CHECK(status({"--streams", "3", "--threads", "4,2"}) == 2);
  CHECK(status({"--seconds", "nan"}) == 2);
  CHECK(status({"--iterations", "3", "--seconds", "1"}) == 2);
  CHECK(run_swinzoo({"bench", "/no/such/model"}).status == 3);
}
