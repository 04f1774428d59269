// swinzoo bench, by the real binary. Nothing here depends on how long anything takes.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "formats/atomic_file.h"
#include "tests/cmd/results.h"
#include "tests/has_precision.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

// The machine's roof is measured once for all tests.
Result run_bench(const std::vector<std::string>& arguments) {
  const auto cache = std::filesystem::path(SWINZOO_BINARY).parent_path() / "tests/cache";
  return run_swinzoo(arguments, {{"XDG_CACHE_HOME", cache}});
}

struct Fixture {
  TemporaryFolder folder;
  std::string model = folder.path() / "mini";

  Fixture() { write_model(model); }

  Result bench(std::vector<std::string> more) const {
    more.insert(more.begin(), {"bench", model, "--iterations", "3", "--warmup", "0"});
    return run_bench(more);
  }
};

// The fields of a configuration, in their order.
std::vector<std::vector<int64_t>> numbers_of(const json::array& results,
                                             const std::vector<std::string>& fields) {
  std::vector<std::vector<int64_t>> numbers;
  for (const json::value& run : results) {
    std::vector<int64_t>& row = numbers.emplace_back();
    for (const std::string& field : fields) row.push_back(as_int(run.at(field), field));
  }
  return numbers;
}

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
                            "peak_memory_mb",
                            "p99_9_ms",
                            "roof_share",
                            "output_digest",
                            "cpu_ms",
                            "context_switches",
                            "pinned",
                            "profiled"}) {
    INFO(field);
    CHECK(run.contains(field));
  }
}

TEST_CASE("bench measures all combinations of what is listed, those of one load together") {
  const Fixture made;
  const Result result = made.bench({"--batch", "1-2", "--threads", "1,2", "--streams", "1,2", "--json"});
  const json::array results = results_of(result);
  CHECK(numbers_of(results, {"threads", "streams", "batch"}) ==
        std::vector<std::vector<int64_t>>{{1, 1, 1}, {1, 1, 2}, {2, 1, 1}, {2, 1, 2}, {2, 2, 1}, {2, 2, 2}});
  CHECK(results[0].at("load_ms") == results[1].at("load_ms"));
  CHECK(results[2].at("load_ms") == results[3].at("load_ms"));
  CHECK_THAT(result.err, Contains("fp32, 2 threads, 1 streams, batch 2"));
}

TEST_CASE("what is listed twice is measured once") {
  const Fixture made;
  const json::array results = results_of(made.bench(
      {"--precision", "fp32,fp32", "--batch", "2,1,2", "--batch", "1", "--threads", "1,1", "--json"}));
  CHECK(numbers_of(results, {"threads", "batch"}) == std::vector<std::vector<int64_t>>{{1, 2}, {1, 1}});
}

TEST_CASE("the mode gives the streams, unless they are given") {
  const Fixture made;
  const auto streams = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--threads", "1,2,8", "--json"});
    return numbers_of(results_of(made.bench(more)), {"threads", "streams"});
  };
  using Rows = std::vector<std::vector<int64_t>>;
  CHECK(streams({}) == Rows{{1, 1}, {2, 1}, {8, 1}});
  CHECK(streams({"--mode", "latency"}) == Rows{{1, 1}, {2, 1}, {8, 1}});
  CHECK(streams({"--mode", "throughput"}) == Rows{{1, 1}, {2, 2}, {8, 4}});
  CHECK(streams({"--mode", "throughput", "--streams", "1"}) == Rows{{1, 1}, {2, 1}, {8, 1}});
}

TEST_CASE("equal inputs have equal digests whatever the threads, streams and other images") {
  const Fixture made;
  const json::array results =
      results_of(made.bench({"--batch", "1,3", "--threads", "1,2", "--streams", "1,2", "--json"}));
  REQUIRE(results.size() == 6);
  for (const json::value& run : results) {
    const json::value& like = results[run.at("batch") == 1 ? 0 : 1];
    CHECK(run.at("output_digest") == like.at("output_digest"));
  }
  CHECK(results[0].at("output_digest") != results[1].at("output_digest"));
  CHECK(results_of(made.bench({"--json"}))[0].at("output_digest") == results[0].at("output_digest"));
}

TEST_CASE("without a count bench goes on until the median is known well, or its time is up") {
  const Fixture made;
  const Result loose = run_bench({"bench", made.model, "--target-error", "50", "--threads", "1", "--json"});
  const json::object run = results_of(loose)[0].as_object();
  CHECK(as_int(run.at("iterations"), "it") >= 10);
  CHECK(as_int(run.at("warmup"), "it") >= 3);
  const bool is_up = as_number(run.at("timed_seconds"), "it") >= 10;
  CHECK((is_up || as_number(run.at("median_error"), "it") <= 50));
  CHECK(as_number(run.at("median_low_ms"), "it") <= as_number(run.at("median_ms"), "it"));
  const Result bounded = run_bench(
      {"bench", made.model, "--target-error", "0", "--max-seconds", "0.2", "--warmup", "0", "--json"});
  CHECK(results_of(bounded).size() == 1);
}

TEST_CASE("bench warns of what it knows, in the result and on standard error") {
  const Fixture made;
  const Result result = made.bench({"--threads", "64", "--json"});
  const json::object run = results_of(result)[0].as_object();
  CHECK_THAT(result.err, Contains("3 calls are too few"));
  bool has_threads = false;
  for (const json::value& warning : run.at("warnings").as_array()) {
    CHECK_THAT(result.err, Contains(as_string(warning, "warning")));
    has_threads |= as_string(warning, "warning").starts_with("64 threads on ");
  }
  CHECK(has_threads == (as_int(run.at("cores"), "cores") < 64));
  CHECK(made.bench({"-q", "--json"}).err.empty());
}

TEST_CASE("bench binds threads to processors where asked, with the same results") {
  const Fixture made;
  const json::object run = results_of(made.bench({"--pin", "--threads", "1", "--json"}))[0].as_object();
  CHECK(run.at("pinned") == true);
  CHECK(run.at("output_digest") == results_of(made.bench({"--json"}))[0].at("output_digest"));
  const Result reference = made.bench({"--pin", "--threads", "1", "--backend", "reference"});
  CHECK(reference.status == 7);
  CHECK(made.bench({"--pin", "--threads", "4096"}).status == 7);
}

TEST_CASE("bench with preprocessing takes images from the file to the logits") {
  const Fixture made;
  const std::string images = SWINZOO_TEST_DATA "/imagenet_mini";
  const json::object run =
      results_of(made.bench({"--with-preprocessing", images, "--batch", "2", "--json"}))[0].as_object();
  CHECK(as_string(run.at("with_preprocessing"), "it") == images);
  CHECK(run.at("iterations") == 3);
  std::string image;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(images)) {
    if (entry.path().extension() == ".JPEG" || entry.path().extension() == ".jpg") image = entry.path();
  }
  REQUIRE_FALSE(image.empty());
  const auto digest = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"--with-preprocessing", image, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return results_of(made.bench(arguments))[0].at("output_digest");
  };
  CHECK(digest({}) == digest({"--threads", "2", "--streams", "2"}));
  CHECK(made.bench({"--with-preprocessing", images, "--profile"}).status == 2);
  CHECK(made.bench({"--with-preprocessing", "/no/such/folder"}).status == 3);
  const std::string gray = made.folder.path() / "gray";
  write_model(gray, {.in_chans = 1});
  CHECK(run_bench({"bench", gray, "--with-preprocessing", image}).status == 7);
}

TEST_CASE("a folder of results is gone on with, and what failed is said and tried again") {
  const Fixture made;
  const std::string runs = made.folder.path() / "runs/";
  const std::string broken = made.folder.path() / "broken";
  write_model(broken);
  std::filesystem::resize_file(broken + "/model.safetensors", 100);
  const auto bench = [&](const std::string& batches) {
    return run_bench({"bench", made.model, broken, "--threads", "1", "--iterations", "3", "--warmup", "0",
                      "--batch", batches, "-o", runs, "--json"});
  };
  const Result first = bench("1");
  CHECK(first.status == 1);
  const json::array before = results_of(first);
  REQUIRE(before.size() == 2);
  CHECK(before[0].at("median_ms").is_number());
  CHECK_FALSE(before[1].as_object().contains("median_ms"));
  CHECK_THAT(as_string(before[1].at("error"), "error"), Contains("model.safetensors"));
  CHECK_THAT(first.err, Contains("error: " + broken));

  const Result second = bench("1,2");
  CHECK(second.status == 1);
  const json::array after = results_of(second);
  REQUIRE(after.size() == 4);
  CHECK(after[0] == before[0]);  // the very samples: it was not timed again
  CHECK_THAT(second.err, Contains("batch 1: measured before") && Contains("timing " + made.model));

  write_model(broken, {.seed = 2});
  const Result third = bench("1,2");
  CHECK(third.status == 0);
  std::vector<int> sizes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(runs)) {
    if (entry.path().filename() != "bench.json") continue;
    const json::value document = read_json(entry.path());
    CHECK(document.at("schema") == 1);
    sizes.push_back(static_cast<int>(document.at("results").as_array().size()));
  }
  std::ranges::sort(sizes);
  CHECK(sizes == std::vector<int>{2, 2});

  write_model(made.model, {.seed = 3});  // other weights of the same name
  CHECK_THAT(bench("1").err, Contains("timing " + made.model));
}

TEST_CASE("a folder of results keeps times with a profile beside those without") {
  const Fixture made;
  const std::string runs = made.folder.path() / "runs/";
  const auto bench = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--threads", "1", "-o", runs, "--json"});
    return made.bench(more);
  };
  const json::array plain = results_of(bench({}));
  const Result with = bench({"--profile"});
  CHECK_THAT(with.err, Contains("timing "));
  const json::array profiled = results_of(with);
  CHECK(plain[0].at("profiled") == false);
  CHECK(profiled[0].at("profiled") == true);
  CHECK(results_of(bench({})) == plain);
  CHECK(results_of(bench({"--profile"})) == profiled);

  const Result compared = run_swinzoo({"compare", runs, runs, "--json"});
  json::array configurations;
  const json::value comparison = parse_json(compared.out, "compare");
  for (const json::value& result : comparison.at("results").as_array()) {
    configurations.push_back(result.at("configuration"));
  }
  REQUIRE(configurations.size() == 2);
  CHECK_THAT(as_string(configurations[0], "it"), !Contains("profiled"));
  CHECK_THAT(as_string(configurations[1], "it"), Contains(", profiled"));
}

TEST_CASE("what a killed bench had measured is not measured again") {
  const Fixture made;
  const std::filesystem::path file = made.folder.path() / "runs/mini/bench.json";
  const std::vector<std::string> line = {"bench",    "mini", "--threads", "1",     "--iterations", "50",
                                         "--warmup", "0",    "-o",        "runs/", "--json",       "--batch"};
  const auto arguments = [&](const std::string& batches) {
    // The name as it is given names the folder.
    std::vector<std::string> all = {"/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", made.folder.path(),
                                    SWINZOO_BINARY};
    all.insert(all.end(), line.begin(), line.end());
    all.push_back(batches);
    return all;
  };
  const std::map<std::string, std::string> env = {{"XDG_CACHE_HOME", made.folder.path() / "cache"}};
  Process killed(arguments("1-1000"), env);
  while (!std::filesystem::exists(file)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  killed.send_signal(SIGKILL);
  CHECK(killed.wait() == 128 + SIGKILL);
  const json::value kept = read_json(file);
  REQUIRE_FALSE(kept.at("results").as_array().empty());

  Process resumed(arguments("1"), env);
  CHECK(resumed.wait() == 0);
  CHECK_THAT(resumed.err(), Contains("measured before"));
  CHECK(parse_json(resumed.out(), "it").at("results").at(0) == kept.at("results").at(0));
}

TEST_CASE("bench prints lines of results as they come, so that a kill leaves those that are done") {
  const Fixture made;
  const std::map<std::string, std::string> env = {{"XDG_CACHE_HOME", made.folder.path() / "cache"}};
  for (const std::string format : {"jsonl", "csv"}) {
    const int64_t header = format == "csv" ? 1 : 0;
    Process killed({SWINZOO_BINARY, "bench", made.model, "--threads", "1", "--iterations", "5", "--warmup",
                    "0", "--batch", "1-1000", "--format", format},
                   env);
    const auto lines_of = [](const std::string& text) { return std::ranges::count(text, '\n'); };
    while (lines_of(killed.out()) < header + 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    killed.send_signal(SIGKILL);
    CHECK(killed.wait() == 128 + SIGKILL);
    const std::string out = killed.out();
    CHECK(lines_of(out) < header + 1000);
    if (format == "csv") {
      CHECK_THAT(out, Catch::StartsWith("model,infer_samples_per_sec,"));
      CHECK(out.find("infer_samples_per_sec", 20) == std::string::npos);
    } else {
      CHECK(parse_json(out.substr(0, out.find('\n')), "the first line").at("batch") == 1);
    }
  }
}

TEST_CASE("lines of results are the same as at the end, also of those that failed") {
  const Fixture made;
  const std::string file = made.folder.path() / "run.json";
  const Result result = made.bench({"/no/such/model", made.model, "--format", "jsonl", "-o", file});
  CHECK(result.status == 1);
  std::string lines;
  const json::value document = read_json(file);
  for (const json::value& run : document.at("results").as_array()) lines += to_json_line(run) + "\n";
  CHECK(result.out == lines);
  CHECK(std::ranges::count(lines, '\n') == 3);
}

TEST_CASE("a configuration that gets no threads is a row that says so, and the others are measured") {
  namespace fs = std::filesystem;
  const Fixture made;
  const fs::path cache = made.folder.path() / "cache";
  const std::vector<std::string> bench = {SWINZOO_BINARY, "bench", made.model, "--threads", "1,2",
                                          "--streams",    "1,2",   "--warmup", "0",         "-q",
                                          "--iterations", "1",     "--json"};
  const auto run = [&](const std::vector<std::string>& words) {
    Process process(words, {{"XDG_CACHE_HOME", cache}});
    const int status = process.wait();
    return Result{status, process.out(), process.err()};
  };
  REQUIRE(run(bench).status == 0);
  json::value roofs = read_json(cache / "swinzoo/roof.json");  // which need threads to be measured again
  for (json::value& roof : roofs.at("roofs").as_array()) roof.as_object()["disturbed"] = 0;
  write_file(cache / "swinzoo/roof.json", to_pretty_json(roofs));

  // A limit on processes does not bind root, so root becomes nobody, who must be let in.
  std::vector<std::string> limited = {"/bin/bash", "-c", "ulimit -u 1 && exec \"$@\"", "bash"};
  if (::geteuid() == 0) {
    const std::vector<std::string> nobody = {"/usr/bin/setpriv", "--reuid=65534", "--clear-groups"};
    limited.insert(limited.begin(), nobody.begin(), nobody.end());
    fs::permissions(made.folder.path(), fs::perms(0755));
    for (const auto& entry : fs::recursive_directory_iterator(made.folder.path())) {
      fs::permissions(entry.path(), fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
    }
  }
  std::vector<std::string> version = limited;
  version.insert(version.end(), {SWINZOO_BINARY, "--version"});
  if (run(version).status != 0) {
    WARN("nobody can't run " << SWINZOO_BINARY << ": not tested");
    return;
  }
  limited.insert(limited.end(), bench.begin(), bench.end());
  const Result result = run(limited);
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("Resource temporarily unavailable") && !Contains("standard output"));
  const json::array results = results_of(result);
  REQUIRE(results.size() == 3);
  CHECK(results[0].at("threads") == 1);
  CHECK(results[0].at("median_ms").is_number());
  CHECK(results[2].at("streams") == 2);
  CHECK_THAT(as_string(results[2].at("error"), "error"), Contains("Resource temporarily unavailable"));
}

TEST_CASE("bench takes a collection, each of whose rows that failed says why") {
  const Fixture made;
  const std::string file = made.folder.path() / "all.json";
  const std::string hub = made.folder.path() / "hub";
  const Result result = run_swinzoo({"bench", "--collection", "sayakpaul/swin/1", "-q", "-o", file, "--json"},
                                    {{"HF_HOME", hub}, {"XDG_CACHE_HOME", hub}});
  CHECK(result.status == 1);
  const json::array results = results_of(result);
  CHECK(results.size() > 10);
  for (const json::value& run : results)
    CHECK_THAT(as_string(run.at("error"), "error"), Contains("swinzoo fetch"));
  CHECK(read_text(file) == result.out);
  CHECK(run_bench({"bench", "--collection", "nobody/nothing/1"}).status == 3);
  CHECK(run_bench({"bench"}).status == 2);
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
  const Result result = run_bench({"bench", other, "--iterations", "1", "--warmup", "0", "--json"});
  CHECK(result.status == 0);
  CHECK(results_of(result)[0].at("num_classes") == 0);
}

TEST_CASE("bench of several models of which one fails measures the others and ends in 1") {
  const Fixture made;
  const Result result = made.bench({"microsoft/swinv2-tiny-patch4-window8-256", "--json"});
  CHECK(result.status == 1);
  const json::array results = results_of(result);
  REQUIRE(results.size() == 2);
  CHECK(results[0].as_object().contains("median_ms"));
  CHECK(results[1].at("model") == "microsoft/swinv2-tiny-patch4-window8-256");
  CHECK_THAT(result.err, Contains("swinv2"));
}

TEST_CASE("bench of several streams gives the latencies of calls and the throughput of all") {
  const Fixture made;
  const Result result = run_bench({"bench", made.model, "--streams", "2", "--threads", "2,3", "--batch", "4",
                                   "--iterations", "5", "--warmup", "0", "--json"});
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
  json::object roof = profile.at("roof").as_object();
  roof["gflops_per_second"] = 12345;
  roof["disturbed"] = 0;
  const json::object document = {{"schema", 1}, {"roofs", json::array{roof}}};
  write_file(made.folder.path() / "cache/swinzoo/roof.json", to_pretty_json(document));
  const json::value again = results_of(profile_of({"--json"}))[0].at("profile").at("roof");
  CHECK(as_number(again.at("gflops_per_second"), "it") == 12345);
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
  CHECK(status({"--batch", "1,,2"}) == 2);
  CHECK(status({"--threads", ",1"}) == 2);
  CHECK(status({"--threads", "0"}) == 2);
  CHECK(status({"--streams", "0"}) == 2);
  CHECK(status({"--streams", "3", "--threads", "1,2"}) == 2);
  CHECK(status({"--batch", "4-1"}) == 2);
  CHECK(status({"--precision", "fp32,int8"}) == 2);
  CHECK(status({"--mode", "fast"}) == 2);
  CHECK(status({"--target-error", "1", "--seconds", "1"}) == 2);
  CHECK(status({"--max-seconds", "1", "--iterations", "3"}) == 2);
  CHECK(status({"--profile", "--mode", "throughput", "--threads", "2"}) == 2);
  CHECK(status({"--seconds", "nan"}) == 2);
  CHECK(status({"--max-seconds", "0"}) == 2);
  CHECK(status({"--max-seconds", "nan"}) == 2);
  CHECK(status({"--target-error", "nan"}) == 2);
  CHECK(status({"--iterations", "3", "--seconds", "1"}) == 2);
  CHECK(run_swinzoo({"bench", "/no/such/model"}).status == 3);
}
