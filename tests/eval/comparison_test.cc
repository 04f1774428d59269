#include "eval/comparison.h"

#include <catch2/catch.hpp>

#include "formats/error.h"
#include "tests/error_code.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

Rules rules_of(const char* fail_on) {
  Rules rules;
  set_thresholds(rules, fail_on, "--fail-on");
  return rules;
}

// A row of latency, threshold 3%.
MeasureResult made_row(double low, double high, double p, double noise) {
  MeasureResult row;
  row.measure = "latency";
  row.threshold = 3;
  row.worse_by = (low + high) / 2;
  row.worse_by_low = low;
  row.worse_by_high = high;
  row.p = p;
  row.noise_floor = noise;
  return row;
}

std::string verdict_of(const MeasureResult& row) {
  Comparison comparison;
  comparison.results.emplace_back().measures = {row};
  judge(comparison, Rules());
  return comparison.results[0].measures[0].verdict;
}

int status_of(const std::vector<std::pair<const char*, const char*>>& rows) {
  Comparison comparison;
  for (const auto& [measure, verdict] : rows) {
    MeasureResult& row = comparison.results.emplace_back().measures.emplace_back();
    row.measure = measure;
    row.verdict = verdict;
  }
  return exit_status(comparison);
}

}  // namespace

TEST_CASE("rules name measures and thresholds") {
  const Rules rules = rules_of("accuracy>0.1, latency>3%,memory > 5%,digest");
  CHECK(rules.threshold(Measure::kTop1) == 0.1);
  CHECK(rules.threshold(Measure::kTop5) == 0.1);
  CHECK(rules.threshold(Measure::kLatency) == 3.0);
  CHECK(rules.threshold(Measure::kMemory) == 5.0);
  CHECK(rules.threshold(Measure::kDigest) == 0.0);
  CHECK_FALSE(rules.threshold(Measure::kThroughput).has_value());
  CHECK_FALSE(rules.threshold(Measure::kLoad).has_value());
  CHECK(rules_of("top5>1").threshold(Measure::kTop5) == 1.0);
  CHECK_FALSE(rules_of("top5>1").threshold(Measure::kTop1).has_value());
  rules_of(kDefaultFailOn);
}

TEST_CASE("rules that say nothing are refused by name") {
  for (const char* bad : {"", "latency", "latency>", "latency>3", "latency>x%", "latency>-3%", "speed>3%",
                          "accuracy>0.1%", "latency>3%,", "digest>1%", "latency>nan%"}) {
    INFO(bad);
    CHECK(code_of([&] { rules_of(bad); }) == ErrorCode::kUsage);
  }
}

TEST_CASE("a verdict needs the whole interval beyond threshold and noise, and significance") {
  CHECK(verdict_of(made_row(4, 6, 0.001, 1)) == "worse");
  CHECK(verdict_of(made_row(4, 6, 0.2, 1)) == "inconclusive");      // by chance
  CHECK(verdict_of(made_row(4, 6, 0.001, 4.5)) == "inconclusive");  // within the noise
  CHECK(verdict_of(made_row(2, 6, 0.001, 1)) == "inconclusive");    // on both sides
  CHECK(verdict_of(made_row(1, 2.9, 0.001, 1)) == "same");          // slower for sure, but by little
  CHECK(verdict_of(made_row(-1, 1, 0.9, 1)) == "same");
  CHECK(verdict_of(made_row(-1, 1, 0.9, 10)) == "inconclusive");  // can't be told
  CHECK(verdict_of(made_row(-6, -4, 0.001, 1)) == "better");
  CHECK(verdict_of(made_row(-6, -4, 0.2, 1)) == "same");
  CHECK(verdict_of(made_row(-6, -4, 0.001, 5)) == "inconclusive");
}

TEST_CASE("what is known to be unsure is inconclusive, and says why") {
  MeasureResult row = made_row(4, 6, 0.001, 1);
  row.why = "two machines";
  CHECK(verdict_of(row) == "inconclusive");
}

TEST_CASE("p-values are adjusted over all measures that are judged") {
  Comparison comparison;
  MeasureResult shown = made_row(4, 6, 0.03, 1);
  shown.threshold.reset();
  comparison.results.emplace_back().measures = {made_row(4, 6, 0.03, 1), made_row(0, 0, 0.9, 1)};
  comparison.results.emplace_back().measures = {made_row(4, 6, 0.001, 1), shown};
  judge(comparison, Rules());
  CHECK(comparison.results[0].measures[0].p_adjusted == Approx(0.045));  // of three
  CHECK(comparison.results[1].measures[0].p_adjusted == Approx(0.003));
  CHECK_FALSE(comparison.results[1].measures[1].p_adjusted.has_value());
  CHECK(comparison.results[1].measures[1].verdict.empty());
}

TEST_CASE("accuracy comes before performance before inconclusive") {
  CHECK(status_of({{"latency", "same"}, {"top1", "better"}, {"load", ""}}) == 0);
  CHECK(status_of({{"latency", "worse"}, {"top1", "worse"}}) == 10);
  CHECK(status_of({{"digest", "worse"}}) == 10);
  CHECK(status_of({{"memory", "worse"}, {"top1", "inconclusive"}}) == 11);
  CHECK(status_of({{"memory", "same"}, {"top1", "inconclusive"}}) == 12);
}
