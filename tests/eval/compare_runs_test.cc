#include "eval/compare_runs.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "eval/comparison_writer.h"
#include "tests/error_code.h"
#include "tests/eval/compare_simulation.h"
#include "tests/eval/made_runs.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

Run made_bench_run(double latency, int64_t batch = 1) {
  Run run;
  run.kind = "bench";
  run.model = "m";
  run.batch = batch;
  run.threads = 2;
  run.streams = 1;
  run.cpu = "some";
  run.cores = 2;
  run.load_average = 0.5;
  Samples samples;
  for (int i = 0; i < 100; ++i) samples.ms.push_back(latency * (1 + 0.001 * (i % 7)));
  samples.seconds = 0.1 * latency;
  set_timing(run, samples, batch, std::nullopt);
  run.peak_memory_mb = 100;
  return run;
}

Run made_eval_run(int64_t right1, int64_t right5, int64_t count) {
  Run run;
  run.kind = "eval";
  run.model = "m";
  run.data = "images";
  set_accuracy(run, count, right1, right5);
  return run;
}

// An image of class 1 that the model says to be `answer`.
EvalSample made_sample(int i, int64_t answer) {
  return {.path = "n" + std::to_string(i) + ".jpg",
          .label = 1,
          .labels = {},
          .top5 = {answer, 7},
          .logits = {},
          .error = {}};
}

Comparison compare(std::vector<Run> base, std::vector<Run> next, double noise = 30,
                   const char* fail_on = kDefaultFailOn) {
  Rules rules;
  set_thresholds(rules, fail_on, "test");
  rules.noise = noise;
  const ComparedSide side = {"new", std::move(next)};
  return compare_runs({"base", std::move(base)}, std::span(&side, 1), rules, {});
}

const MeasureResult& row_of(const Comparison& comparison, const char* measure, size_t result = 0) {
  const auto& rows = comparison.results.at(result).measures;
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const MeasureResult& row) { return row.measure == measure; });
  REQUIRE(found != rows.end());
  return *found;
}

}  // namespace

TEST_CASE("results measured apart alarm only beyond the noise that there may be") {
  CHECK(row_of(compare({made_bench_run(2)}, {made_bench_run(2.2)}), "latency").verdict == "inconclusive");
  CHECK(row_of(compare({made_bench_run(2)}, {made_bench_run(2)}), "latency").verdict == "inconclusive");
  const Comparison twice = compare({made_bench_run(2)}, {made_bench_run(4)});
  CHECK(row_of(twice, "latency").verdict == "worse");
  CHECK(row_of(twice, "latency").worse_by == Approx(100));
  CHECK(row_of(twice, "throughput").verdict == "worse");
  CHECK(row_of(twice, "throughput").worse_by == Approx(100));
  CHECK(row_of(twice, "memory").verdict == "same");
  CHECK(row_of(compare({made_bench_run(4)}, {made_bench_run(2)}), "latency").verdict == "better");
}

TEST_CASE("on a machine whose noise is known small differences are judged") {
  CHECK(row_of(compare({made_bench_run(2)}, {made_bench_run(2.2)}, 1), "latency").verdict == "worse");
  CHECK(row_of(compare({made_bench_run(2)}, {made_bench_run(2.02)}, 1), "latency").verdict == "same");
}

TEST_CASE("base's own repeats tell the noise") {
  std::vector<Run> base, next;
  for (const double factor : {1.0, 1.01, 0.99, 1.005, 0.995}) {
    base.push_back(made_bench_run(2 * factor));
    next.push_back(made_bench_run(2.2 * factor));
  }
  const MeasureResult row = row_of(compare(base, next), "latency");
  CHECK(row.verdict == "worse");
  CHECK(row.base_count == 5);
  CHECK(row.noise_floor == Approx(1.8).margin(0.3));
  CHECK(row_of(compare(base, base), "latency").verdict == "same");
  base[0] = made_bench_run(3);
  CHECK(row_of(compare(base, next), "latency").verdict == "inconclusive");
}

TEST_CASE("memory is judged from one figure a side") {
  Run more = made_bench_run(2);
  more.peak_memory_mb = 110;
  CHECK(row_of(compare({made_bench_run(2)}, {more}), "memory").verdict == "worse");
  more.peak_memory_mb = 104;
  CHECK(row_of(compare({made_bench_run(2)}, {more}), "memory").verdict == "same");
}

TEST_CASE("speed on other machines or busy ones is not judged") {
  Run other = made_bench_run(8);
  other.cpu = "another";
  const Comparison comparison = compare({made_bench_run(2)}, {other});
  CHECK(row_of(comparison, "latency").verdict == "inconclusive");
  CHECK_THAT(row_of(comparison, "latency").why, Catch::Contains("cpu"));
  Run busy = made_bench_run(8);
  busy.load_average = 5;
  CHECK_THAT(row_of(compare({made_bench_run(2)}, {busy}), "latency").why, Catch::Contains("busy"));

  Rules rules;
  set_thresholds(rules, kDefaultFailOn, "test");
  rules.across_machines = true;
  const ComparedSide next = {"new", {other}};
  const Comparison across = compare_runs({"base", {made_bench_run(2)}}, std::span(&next, 1), rules, {});
  CHECK(row_of(across, "latency").verdict == "worse");
}

TEST_CASE("configurations are paired by what was measured and how") {
  const Comparison comparison = compare({made_bench_run(2, 1), made_bench_run(9, 8), made_bench_run(3, 4)},
                                        {made_bench_run(9, 8), made_bench_run(2, 1), made_bench_run(5, 16)});
  REQUIRE(comparison.results.size() == 4);
  CHECK(row_of(comparison, "latency", 0).worse_by == Approx(0).margin(1e-9));
  CHECK(row_of(comparison, "latency", 1).worse_by == Approx(0).margin(1e-9));
  CHECK(row_of(comparison, "latency", 2).verdict == "inconclusive");
  CHECK_THAT(row_of(comparison, "latency", 2).why, Catch::Contains("no such result"));
  CHECK_THAT(comparison.results[2].configuration, Catch::Contains("batch 4"));
  CHECK_THAT(comparison.results[3].configuration, Catch::Contains("batch 16"));
  CHECK(row_of(comparison, "latency", 3).verdict.empty());
  CHECK(row_of(comparison, "latency", 3).next.has_value());
  CHECK(comparison.results[3].notes ==
        std::vector<std::string>{"not judged: base has no such result; one that it has differs in batch"});
}

TEST_CASE("what only a new side has is said, and is no reason to fail") {
  const Comparison comparison =
      compare({made_eval_run(800, 950, 1000)}, {made_eval_run(800, 950, 1000), made_bench_run(2)});
  REQUIRE(comparison.results.size() == 2);
  CHECK(comparison.results[1].notes == std::vector<std::string>{"not judged: base has no such result"});
  CHECK(exit_status(comparison) == 0);
  CHECK_THAT(to_text(comparison), Catch::Contains("base has no such result"));
  CHECK_THAT(to_markdown(comparison), Catch::Contains("base has no such result"));
  CHECK_THAT(to_json(comparison), Catch::Contains("base has no such result"));
}

TEST_CASE("checkpoints with one name are told apart by their weights") {
  const auto of = [](const char* weights, double latency) {
    Run run = made_bench_run(latency);
    run.weights_digest = weights;
    return run;
  };
  const Comparison swapped = compare({of("aa", 2), of("bb", 8)}, {of("bb", 8), of("aa", 2)});
  REQUIRE(swapped.results.size() == 2);
  for (const size_t i : {0, 1}) CHECK(row_of(swapped, "latency", i).worse_by == Approx(0).margin(1e-9));
  CHECK(swapped.results[1].configuration == "m, batch 1, 2 threads, weights bb");
  const Comparison trained = compare({of("aa", 2), of("bb", 8)}, {of("aa", 2), of("cc", 16)});
  REQUIRE(trained.results.size() == 2);
  CHECK(row_of(trained, "latency", 1).worse_by == Approx(100));
  CHECK_THAT(trained.results[1].notes.at(0), Catch::Contains("weights: bb in base, cc in the new side"));
  CHECK(row_of(compare({of("aa", 2)}, {of("cc", 4)}), "latency").worse_by == Approx(100));
}

TEST_CASE("another model's result is compared where it is the only one left") {
  Run variant = made_bench_run(4);
  variant.model = "variant";
  const Comparison comparison = compare({made_bench_run(2)}, {variant});
  CHECK(row_of(comparison, "latency").verdict == "worse");
  CHECK_THAT(comparison.results.at(0).notes.at(0), Catch::Contains("variant"));
  Run second = variant;
  second.model = "second";
  const Comparison ambiguous = compare({made_bench_run(2)}, {variant, second});
  CHECK(ambiguous.results.size() == 3);
  CHECK(exit_status(ambiguous) == 12);
  CHECK(exit_status(compare({made_bench_run(2)}, {made_eval_run(1, 1, 2)})) == 12);
}

TEST_CASE("accuracy is compared image by image, and the flipped images are named") {
  Run base = made_eval_run(0, 0, 0), next = base;
  for (int i = 0; i < 400; ++i) {
    base.samples.push_back(made_sample(i, i < 300 ? 1 : 2));
    next.samples.push_back(made_sample(399 - i, 399 - i < 280 || 399 - i >= 395 ? 1 : 2));
  }
  const Comparison comparison = compare({base}, {next});
  const MeasureResult& top1 = row_of(comparison, "top1");
  CHECK(top1.base == Approx(75));
  CHECK(top1.next == Approx(71.25));
  CHECK(top1.worse_by == Approx(3.75));
  CHECK(top1.p == Approx(0.004077315330505371));  // binomtest(5, 25)
  CHECK(top1.base_count == 400);
  CHECK(top1.verdict == "worse");
  CHECK(exit_status(comparison) == 10);
  const ConfigurationResult& result = comparison.results.at(0);
  REQUIRE(result.lost.size() == 20);
  REQUIRE(result.gained.size() == 5);
  CHECK(result.lost.front() == Flip{"n280.jpg", 1, 2});
  CHECK(result.gained.back() == Flip{"n399.jpg", 2, 1});
  CHECK(row_of(compare({base}, {base}), "top1").verdict == "same");
  CHECK(row_of(compare({next}, {base}), "top1").verdict == "better");
}

TEST_CASE("few flipped images decide nothing") {
  Run base = made_eval_run(0, 0, 0), next = base;
  for (int i = 0; i < 20; ++i) {
    base.samples.push_back(made_sample(i, 1));
    next.samples.push_back(made_sample(i, i == 0 ? 2 : 1));
  }
  CHECK(row_of(compare({base}, {next}), "top1").verdict == "inconclusive");
  CHECK(row_of(compare({base}, {next}), "top5").verdict == "inconclusive");
}

TEST_CASE("images that only one side has, and other labels, are left out and noted") {
  Run base = made_eval_run(0, 0, 0), next = base;
  for (int i = 0; i < 4; ++i) base.samples.push_back(made_sample(i, 1));
  for (int i = 1; i < 5; ++i) next.samples.push_back(made_sample(i, 1));
  next.samples[0].label = 3;
  const Comparison comparison = compare({base}, {next});
  CHECK(row_of(comparison, "top1").base_count == 2);
  CHECK(comparison.results.at(0).notes.size() == 2);
}

TEST_CASE("accuracy is not judged where the new side lost images that base answered") {
  Run base = made_eval_run(0, 0, 0);
  for (int i = 0; i < 1000; ++i) base.samples.push_back(made_sample(i, 1));
  const auto worst = [&](int unreadable, int missing, const char* rules = kDefaultFailOn) {
    Run next = base;
    for (int i = 0; i < unreadable; ++i) next.samples[static_cast<size_t>(i)].error = "truncated";
    next.samples.resize(static_cast<size_t>(1000 - missing));
    return row_of(compare({base}, {next}, 30, rules), "top1");
  };
  CHECK(worst(0, 0).verdict == "same");
  CHECK(worst(1, 0).verdict == "same");
  CHECK(worst(1, 1).verdict == "inconclusive");
  CHECK(worst(700, 0).verdict == "inconclusive");
  CHECK(worst(0, 700).why ==
        "700 of 1000 images that base answered are missing or unreadable in the new side");
  CHECK(worst(400, 300).why == worst(0, 700).why);
  CHECK(worst(10, 0, "accuracy>2").verdict == "same");
  CHECK(worst(700, 0, "top5>0.1").verdict.empty());

  const auto counts = [](int64_t count) {
    return row_of(compare({made_eval_run(1000, 1000, 1000)}, {made_eval_run(count, count, count)}), "top1");
  };
  CHECK_THAT(counts(300).why, Catch::StartsWith("700 of 1000 images"));
  CHECK(counts(300).verdict == "inconclusive");
  CHECK(counts(1000).verdict == "same");
}

TEST_CASE("several labels count as right, any of them") {
  Run base = made_eval_run(0, 0, 0), next = base;
  base.samples = {{.path = "a", .label = {}, .labels = {4, 5}, .top5 = {5}, .logits = {}, .error = {}}};
  next.samples = {{.path = "a", .label = {}, .labels = {4, 5}, .top5 = {4}, .logits = {}, .error = {}}};
  const Comparison comparison = compare({base}, {next});
  CHECK(row_of(comparison, "top1").base == 100.0);
  CHECK(comparison.results.at(0).lost.empty());
}

TEST_CASE("accuracy without samples is compared by counts") {
  const Comparison worse =
      compare({made_eval_run(40592, 47756, 50000)}, {made_eval_run(39592, 47000, 50000)});
  CHECK(row_of(worse, "top1").worse_by == Approx(2));
  CHECK(row_of(worse, "top1").verdict == "worse");
  CHECK_FALSE(worse.results.at(0).notes.empty());
  const auto close = compare({made_eval_run(40592, 47756, 50000)}, {made_eval_run(40500, 47756, 50000)});
  CHECK(row_of(close, "top1").verdict == "inconclusive");
  const auto equal = compare({made_eval_run(40592, 47756, 50000)}, {made_eval_run(40592, 47756, 50000)});
  CHECK(exit_status(equal) == 0);
}

TEST_CASE("results without samples of calls are compared by their figures, and not judged from one") {
  Run base = made_bench_run(2), next = made_bench_run(4);
  base.samples_ms.clear();
  next.samples_ms.clear();
  const MeasureResult row = row_of(compare({base}, {next}), "latency");
  CHECK(row.worse_by == Approx(100));
  CHECK(row.verdict == "inconclusive");
  CHECK_FALSE(row.p.has_value());
}

TEST_CASE("a hundred pairs of results of one thing, measured apart, hardly ever alarm") {
  const Endings endings = simulate_apart(100, 9000);
  CHECK(endings.regression <= 1);
  CHECK(endings.better <= 1);
}

TEST_CASE("bits that differ are shown, and fail where asked for") {
  Run base = made_bench_run(10);
  Run next = base;
  CHECK(compare({base}, {next}).results[0].measures.size() == 3);  // none of the bits
  base.output_digest = next.output_digest = "ab";
  CHECK(row_of(compare({base}, {next}, 30, "digest"), "digest").verdict == "same");
  next.output_digest = "cd";
  CHECK(row_of(compare({base}, {next}), "digest").verdict.empty());
  const Comparison failed = compare({base}, {next}, 30, "digest");
  CHECK(row_of(failed, "digest").verdict == "worse");
  CHECK(exit_status(failed) == 10);
  next.output_digest.clear();
  const Comparison lacking = compare({base}, {next}, 30, "digest");
  CHECK(row_of(lacking, "digest").verdict == "inconclusive");
  CHECK(row_of(lacking, "digest").why == "the new side has no digest of what was put out");
  CHECK_THAT(row_of(compare({next}, {base}, 30, "digest"), "digest").why, Catch::StartsWith("base has no"));
  CHECK_THAT(row_of(compare({next}, {next}, 30, "digest"), "digest").why, Catch::StartsWith("neither"));
  Run other = base;
  other.batch = 8;
  const Comparison missing = compare({base, other}, {base}, 30, "digest");
  CHECK(row_of(missing, "digest", 0).verdict == "same");
  CHECK(row_of(missing, "digest", 1).verdict == "inconclusive");
}

TEST_CASE("rules of what the results don't have judge nothing, and that is no pass") {
  const Comparison comparison = compare({made_bench_run(2)}, {made_bench_run(9)}, 30, "accuracy>0.1");
  CHECK(exit_status(comparison) == 12);
  CHECK(headline(comparison) == "nothing was judged");
}

TEST_CASE("times of 0 are no figures") {
  const Run base = made_bench_run(2);
  Run zero = base;
  zero.samples_ms.assign(100, 0);
  zero.median_ms = zero.images_per_second = 0;
  for (const char* measure : {"latency", "throughput"}) {
    INFO(measure);
    CHECK(row_of(compare({base}, {zero}), measure).verdict == "inconclusive");
    CHECK(row_of(compare({base}, {zero}), measure).why == "the new side has no such figure above 0");
    CHECK(row_of(compare({zero}, {base}), measure).why == "base has no such figure above 0");
  }
  Run some = base;
  for (size_t i = 0; i < 10; ++i) some.samples_ms[i] = 0;  // two slices of 20
  CHECK(std::isfinite(row_of(compare({base}, {some}), "throughput").worse_by.value()));
  CHECK(std::isfinite(row_of(compare({base}, {some}), "throughput").noise_floor.value()));
}

TEST_CASE("a run that failed is as one that is not there") {
  const Run good = made_bench_run(10);
  Run failed = good;
  failed.error = "out of memory";
  CHECK(compare({good, failed}, {good}).results.size() == 1);
  const Comparison all_failed = compare({good}, {failed});
  CHECK(exit_status(all_failed) == 12);
  CHECK(row_of(all_failed, "latency").why == "the new side failed: out of memory");
  CHECK(code_of([&] { compare({failed}, {good}); }) == ErrorCode::kFailed);
  CHECK(code_of([&] { compare({}, {good}); }) == ErrorCode::kFailed);
  CHECK(exit_status(compare({good}, {})) == 12);
}

TEST_CASE("a model that can't be loaded, which is called by its path, stands for what is missing") {
  const auto failed = [](const char* path, int64_t batch) {
    Run run = bare_run("bench");
    run.model = path;
    run.batch = batch;
    run.threads = 2;
    run.streams = 1;
    run.error = "no such file";
    return run;
  };
  const auto why = [&](std::vector<Run> next) {
    return row_of(compare({made_bench_run(2, 1), made_bench_run(3, 8)}, std::move(next)), "latency", 1).why;
  };
  CHECK(why({made_bench_run(2, 1), failed("models/m", 8)}) == "the new side failed: no such file");
  CHECK(why({made_bench_run(2, 1), failed("a", 8), failed("b", 2)}) == "the new side failed: no such file");
  CHECK_THAT(why({made_bench_run(2, 1), failed("a", 8), failed("b", 8)}),
             Catch::StartsWith("the new side has no such result"));
}

TEST_CASE("what sets two results apart that look alike is said") {
  const Run good = made_bench_run(10);
  Run pinned = good;
  pinned.pinned = true;
  const Comparison comparison = compare({good}, {pinned});
  CHECK_THAT(row_of(comparison, "latency").why, Catch::Contains("differs in pinned"));
  const Run eval = made_eval_run(1, 1, 2);
  std::vector<std::string> texts = {configuration_of(eval)};
  const auto with = [&](const auto& change) {
    Run run = eval;
    change(run);
    texts.push_back(configuration_of(run));
  };
  with([](Run& run) { run.limit = 100; });
  with([](Run& run) { run.shuffle_seed = 100; });
  with([](Run& run) { run.valid_classes = 100; });
  with([](Run& run) { run.shard = "1/2"; });
  with([](Run& run) { run.recipe = "ssv2"; });
  with([](Run& run) { run.classifier = "k-NN"; });
  with([](Run& run) { run.train_data = "train/"; });
  for (const char* images : {"", "a/photos", "others/"}) {
    Run run = good;
    run.with_preprocessing = images;
    texts.push_back(configuration_of(run));
  }
  const size_t count = texts.size();
  std::ranges::sort(texts);
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  CHECK(texts.size() == count);
}

TEST_CASE("images to prepare are the same wherever their folder lies") {
  Run base = made_bench_run(2), next = base;
  base.with_preprocessing = "/here/photos";
  next.with_preprocessing = "photos/";
  CHECK(row_of(compare({base}, {next}), "latency").worse_by == Approx(0).margin(1e-9));
  next.with_preprocessing = "pictures/";
  CHECK_THAT(row_of(compare({base}, {next}), "latency").why,
             Catch::Contains("differs in with_preprocessing"));
}

TEST_CASE("times with a profile are not compared with times without") {
  const Run plain = made_bench_run(10);
  Run profiled = plain, before = plain;
  profiled.profiled = true;
  before.profile = made_bench().profile;  // written before there was the field
  CHECK(exit_status(compare({plain}, {profiled})) == 12);
  const Comparison comparison = compare({before}, {profiled});
  REQUIRE(comparison.results.size() == 1);
  CHECK_THAT(comparison.results[0].configuration, Catch::Contains(", profiled"));
}

TEST_CASE("a new side that has nothing is no reason to pass") {
  Run base = made_eval_run(800, 950, 1000);
  Run empty = made_eval_run(0, 0, 0);
  const Comparison none = compare({base}, {empty});
  CHECK(row_of(none, "top1").verdict == "inconclusive");
  CHECK(exit_status(none) == 12);
  Run other = made_bench_run(10);
  other.model = "n";
  Run failed = other;
  failed.error = "weights damaged";
  const Comparison missing =
      compare({made_bench_run(10), other}, {made_bench_run(10), failed}, 1, "throughput>3%");
  CHECK(row_of(missing, "throughput", 1).verdict == "inconclusive");
  CHECK_THAT(row_of(missing, "throughput", 1).why, Catch::Contains("weights damaged"));
}

TEST_CASE("repeats of one session don't tell how the machine is at another time") {
  const auto session = [](const char* day, double latency) {
    std::vector<Run> runs;
    for (int i = 0; i < 3; ++i) {
      runs.push_back(made_bench_run(latency * (1 + 0.001 * i)));
      runs.back().started_at = fmt::format("2026-01-{}T00:0{}:00Z", day, i);
    }
    return runs;
  };
  CHECK(row_of(compare(session("01", 10), session("09", 10.6)), "latency").verdict == "inconclusive");
  CHECK(row_of(compare(session("01", 10), session("09", 10.6)), "latency").noise_floor.value() >= 30);
  std::vector<Run> spread = session("01", 10);
  spread[2].started_at = "2026-01-20T00:00:00Z";
  CHECK(row_of(compare(spread, session("09", 10.6)), "latency").verdict == "worse");
}

TEST_CASE("a machine is busy by what bench saw; else by its load") {
  Run run = made_bench_run(10);
  run.load_average = 30;  // of a large host whose other cores don't matter
  CHECK_THAT(row_of(compare({run}, {run}), "latency").why, Catch::Contains("busy"));
  run.other_load = 0.01;
  CHECK(row_of(compare({run}, {run}), "latency").why.find("busy") == std::string::npos);
  run.other_load = 1.5;
  CHECK_THAT(row_of(compare({run}, {run}), "latency").why, Catch::Contains("busy"));
}
