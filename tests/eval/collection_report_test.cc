#include "eval/collection_report.h"

#include <catch2/catch.hpp>

#include "eval/report_page.h"
#include "eval/run_setup.h"
#include "formats/json.h"
#include "tests/eval/made_runs.h"
#include "zoo/catalog.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kTiny = "sayakpaul/swin_tiny_patch4_window7_224";
constexpr const char* kFeatures = "sayakpaul/swin_tiny_patch4_window7_224_fe";
constexpr const char* kSmall = "sayakpaul/swin_small_patch4_window7_224";

Run bench_of(const std::string& model, int64_t batch, double median, const std::string& precision = "fp32") {
  Run run = made_bench();
  run.model = model;
  run.batch = batch;
  run.median_ms = median;
  run.images_per_second = 1000.0 * static_cast<double>(batch) / median;
  run.precision = precision;
  run.error.clear();
  run.with_preprocessing.clear();
  run.pinned = false;
  return run;
}

Run eval_of(const std::string& model, int64_t count, double top1) {
  Run run = made_eval();
  run.model = model;
  run.shard.clear();
  run.count = count;
  run.top1 = top1;
  return run;
}

std::vector<ReportEntry> entries() {
  std::vector<ReportEntry> out;
  for (const char* id : {kTiny, kFeatures, kSmall}) out.push_back({id, zoo::Catalog::built_in().lookup(id)});
  return out;
}

ReportCell cell(const CollectionReport& report, size_t row, std::string_view key) {
  for (const ReportColumn& column : report_columns(true)) {
    if (column.key == key) return column.cell(report.rows[row]);
  }
  return {nullptr, "", "no such column"};
}

}  // namespace

TEST_CASE("a collection's report has every entry, and of each the figures that stand for it") {
  const std::vector<Run> runs = {
      bench_of(kTiny, 8, 60),        bench_of(kTiny, 1, 12),   bench_of(kTiny, 1, 10),
      bench_of(kTiny, 1, 5, "bf16"), eval_of(kTiny, 100, 70),  eval_of(kTiny, 50000, 81),
      bench_of(kSmall, 1, 40),       bench_of(kSmall, 8, 100), bench_of("another", 1, 1)};
  const auto report = report_of("made/1", entries(), runs);
  REQUIRE(report.rows.size() == 3);
  CHECK(report.machines.size() == 1);
  CHECK(report.others == std::vector<std::string>{"another"});
  CHECK(cell(report, 0, "model").text == kTiny);
  CHECK(cell(report, 0, "latency_ms").value == 10.0);  // the later of two
  CHECK(cell(report, 0, "latency_at").text == "batch 1, 2 threads, fp32");
  CHECK(cell(report, 0, "images_per_second").text == "133.3");
  CHECK(cell(report, 0, "throughput_at").text == "batch 8, 2 threads, fp32");
  CHECK(cell(report, 0, "top1").text == "81.00");
  CHECK(cell(report, 0, "images").value == 50000);
  CHECK(cell(report, 0, "measured_on").text == "imagenet, k-NN");
  CHECK(cell(report, 0, "published_top1").text == "81.18");
  CHECK(cell(report, 0, "published_on").text == "imagenet, collection");
  CHECK(cell(report, 0, "params").value == 28288354);
  CHECK(cell(report, 0, "macs").text == "4.51");
  CHECK(cell(report, 0, "input").text == "224x224");
  CHECK(cell(report, 0, "machine").text == "Some, 3 cores, 24 GiB");
  CHECK(caption_of(report) == std::vector<std::string>{"Speed was measured on Some, 3 cores, 24 GiB.",
                                                       "Latency and memory: batch 1, 2 threads, fp32.",
                                                       "Images a second: batch 8, 2 threads, fp32."});
  const std::string markdown = to_markdown(report);
  CHECK_THAT(markdown, Contains("Images a second: batch 8, 2 threads, fp32.") && !Contains("Latency at"));
}

TEST_CASE("the measured accuracy is of the data that the published figure is of") {
  Run part = eval_of(kTiny, 1000, 80), other = eval_of(kTiny, 50000, 60), real = eval_of(kTiny, 50000, 86);
  other.data_set.clear();
  other.data = "/data/flowers/";
  real.data_set = "imagenet-real";
  const auto shown = [&](const std::vector<Run>& runs, const char* key) {
    return cell(report_of("made/1", entries(), runs), 0, key).text;
  };
  CHECK(shown({other, part, real}, "top1") == "80.00");
  CHECK(shown({other, part, real}, "images") == "1000");
  CHECK(shown({other, part, real}, "measured_on") == "imagenet, k-NN");
  CHECK(shown({other}, "measured_on") == "flowers, k-NN");
  CHECK(shown({other}, "published_on") == "imagenet, collection");

  Run late = part, early = part, larger = part, bf16 = eval_of(kTiny, 50000, 79);
  early.started_at = "2025-01-01T00:00:00Z";
  early.top1 = 71;
  late.started_at = "2026-12-01T00:00:00Z";
  late.top1 = 72;
  larger.count = 1001;
  larger.top1 = 73;
  bf16.precision = "bf16";
  CHECK(shown({late, part, early}, "top1") == "72.00");
  CHECK(shown({late, larger, early}, "top1") == "73.00");
  CHECK(shown({late, bf16}, "top1") == "72.00");
  Run wide = larger, shard = larger;
  wide.image_size = 384;
  shard.shard = "1/2";
  CHECK(shown({late, wide, shard}, "top1") == "72.00");
}

TEST_CASE("a table compares one configuration: the one that most entries were measured in") {
  Run many = bench_of(kTiny, 1, 5);
  many.threads = 16;
  Run prepared = bench_of(kSmall, 1, 1);
  prepared.with_preprocessing = "photos/";
  std::vector<Run> runs = {many, bench_of(kTiny, 1, 10), bench_of(kTiny, 4, 20), bench_of(kSmall, 4, 30),
                           prepared};
  const auto report = report_of("made/1", entries(), runs);
  CHECK(caption_of(report).at(1) == "Latency and memory: batch 4, 2 threads, fp32.");
  CHECK(cell(report, 0, "latency_ms").value == 20.0);
  CHECK(cell(report, 2, "latency_ms").value == 30.0);
  runs.push_back(bench_of(kSmall, 1, 15));
  CHECK(cell(report_of("made/1", entries(), runs), 0, "latency_ms").value == 10.0);

  // Of equals the one in which more are faster.
  many.model = kSmall;
  many.median_ms = 14;
  runs.push_back(many);
  const auto equals = report_of("made/1", entries(), runs);
  CHECK(cell(equals, 0, "latency_at").text == "batch 1, 16 threads, fp32");
  CHECK(cell(equals, 0, "latency_ms").value == 5.0);
}

TEST_CASE("times that a profile slowed stand in a row only where there are no others") {
  Run profiled = bench_of(kTiny, 1, 9);
  profiled.profiled = true;
  const Run plain = bench_of(kTiny, 2, 30);
  const auto of = [](const std::vector<Run>& runs) { return report_of("made/1", entries(), runs); };
  const std::vector<Run> both = {profiled, plain}, only = {profiled};
  CHECK(cell(of(both), 0, "latency_ms").value == 30.0);
  CHECK(cell(of(both), 0, "images_per_second").text == "66.7");
  CHECK(cell(of(only), 0, "latency_ms").value == 9.0);
  CHECK(cell(of(only), 0, "latency_at").text == "batch 1, 2 threads, fp32, profiled");
  const json::value data = page_data(of(both), both, {});
  CHECK(data.at("profiles").at(0).at("setup") == "batch 1, 2 threads, fp32, profiled");
}

TEST_CASE("a figure that is missing says why") {
  Run failed = bench_of(kSmall, 1, 1);
  failed.median_ms.reset();
  failed.images_per_second.reset();
  failed.error = "out of memory";
  Run failed_eval = eval_of(kSmall, 1, 1);
  failed_eval.top1.reset();
  failed_eval.error = "no image";
  const std::vector<Run> both_failed = {failed, failed_eval};
  const auto report = report_of("made/1", entries(), both_failed);
  CHECK(caption_of(report).empty());
  CHECK(cell(report, 0, "latency_ms").why == "not measured");
  CHECK(cell(report, 0, "top1").why == "not measured");
  CHECK(cell(report, 0, "machine").why == "not measured");
  CHECK(cell(report, 1, "top1").why == "no classifier");
  CHECK(cell(report, 1, "published_top1").why == "no classifier published");
  CHECK(cell(report, 2, "latency_ms").why == "failed: out of memory");
  CHECK(cell(report, 2, "peak_memory_mb").why == "failed");
  CHECK(cell(report, 2, "top1").why == "failed: no image");
  CHECK(cell(report, 2, "images").why == "failed");

  Run elsewhere = bench_of(kFeatures, 1, 20);
  elsewhere.cores = 64;
  Run unlabelled = eval_of(kTiny, 0, 0);
  unlabelled.top1.reset();
  const std::vector<Run> on_two_machines = {bench_of(kTiny, 1, 10), bench_of(kTiny, 8, 70), unlabelled,
                                            bench_of(kSmall, 8, 90), elsewhere};
  const auto some = report_of("made/1", entries(), on_two_machines);
  CHECK(cell(some, 0, "latency_ms").value == 70.0);
  CHECK(cell(some, 0, "top1").why == "no labelled image");
  CHECK(cell(some, 1, "latency_ms").why == "not on this machine");
  CHECK(cell(some, 1, "images_per_second").why == "not on this machine");
  const std::vector<Run> one_failed = {bench_of(kTiny, 1, 10), bench_of(kFeatures, 1, 10), failed,
                                       bench_of(kSmall, 8, 90)};
  const auto twice = report_of("made/1", entries(), one_failed);
  CHECK(cell(twice, 2, "latency_ms").why == "failed: out of memory");
  const std::vector<Run> at_other_batches = {bench_of(kTiny, 1, 10), bench_of(kFeatures, 1, 10),
                                             bench_of(kSmall, 8, 90)};
  const auto other = report_of("made/1", entries(), at_other_batches);
  CHECK(cell(other, 2, "latency_ms").why == "not in this configuration");
  CHECK(cell(other, 2, "p90_ms").why == "not in this configuration");

  const std::string markdown = to_markdown(report);
  CHECK_THAT(markdown, Contains("# made/1\n") && Contains("| failed: out of memory | failed |"));
  const std::string csv = to_csv(report);
  CHECK_THAT(csv, Catch::StartsWith("model,input,params,macs,published_top1,"));
  CHECK_THAT(csv, Contains("latency_ms: failed: out of memory; p90_ms: failed;"));
  for (const ReportRow& row : report.rows) {
    for (const ReportColumn& column : report_columns(true)) {
      const ReportCell made = column.cell(row);
      CHECK(made.value.is_null() == made.text.empty());
      CHECK(made.value.is_null() != made.why.empty());
    }
  }
}

TEST_CASE("speeds come from the machine that measured most entries, and stand beside the others'") {
  const auto on = [](Run run, const char* cpu) {
    run.cpu = cpu;
    return run;
  };
  const char* const other = "Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz";
  std::vector<Run> runs = {on(bench_of(kTiny, 1, 3), other), bench_of(kTiny, 1, 10), bench_of(kSmall, 1, 30),
                           on(eval_of(kSmall, 10, 80), other)};
  const auto report = report_of("made/1", entries(), runs);
  REQUIRE(report.rows.size() == 3);
  REQUIRE(report.machines.size() == 2);
  CHECK(report.machine == 1U);
  CHECK(cell(report, 0, "machine").text == "Some, 3 cores, 24 GiB");
  CHECK(cell(report, 0, "latency_ms").value == 10.0);
  CHECK(report.rows[0].by_machine.at(0).latency->median_ms == 3.0);
  CHECK(report.rows[2].by_machine.at(0).latency == nullptr);
  CHECK(cell(report, 2, "top1").value == 80.0);  // which does not depend on the machine
  CHECK(caption_of(report).front() ==
        "Speed was measured on Some, 3 cores, 24 GiB, the one of 2 machines that measured most entries.");

  // Of equals the latest.
  runs.push_back(on(bench_of(kSmall, 1, 9), other));
  runs.back().started_at = "2026-12-01T00:00:00Z";
  const auto later = report_of("made/1", entries(), runs);
  CHECK(cell(later, 0, "machine").text == "Intel Xeon Platinum 8375C, 3 cores, 24 GiB");
  CHECK(cell(later, 0, "latency_ms").value == 3.0);
  CHECK(page_data(later, runs, {}).at("rows").at(0).at("speeds").at(1).at(0) == 10.0);
}

TEST_CASE("a model outside the catalog has a row of what its results tell") {
  const std::vector<Run> runs = {bench_of("mine.safetensors", 2, 20)};
  const auto report = report_of("Results", std::vector<ReportEntry>{{"mine.safetensors"}}, runs);
  CHECK(cell(report, 0, "params").value == 28288354);
  CHECK(cell(report, 0, "input").text == "224x224");
  CHECK(cell(report, 0, "published_top1").why == "not in the catalog");
}

TEST_CASE("the page holds its data as JSON that can not end its element") {
  const std::string evil = "</script><img src=x onerror=alert(1)><!--";
  const std::vector<Run> runs = {bench_of(evil, 1, 10)};
  const auto report = report_of(evil, std::vector<ReportEntry>{{evil}}, runs);
  const std::string page = to_html(report, runs, {});
  CHECK_THAT(page, !Contains("<img") && !Contains("{{"));
  const std::string open = "id=\"data\">";
  const size_t begin = page.find(open) + open.size();
  const json::value data = parse_json(page.substr(begin, page.find("</script>", begin) - begin), "the page");
  CHECK(as_string(data.at("title"), "title") == evil);
  CHECK(as_string(data.at("rows").at(0).at("model"), "model") == evil);
  CHECK(data.at("bench").at("rows").at(0).at(4) == 10);
  CHECK_THAT(page, Contains("Chart.js v") && Contains("default-src 'none'") && !Contains("samples_ms"));
}

TEST_CASE("the page of 60 entries in 12 configurations with profiles and trends is below 2 MB") {
  std::vector<Run> runs;
  std::vector<ReportEntry> all;
  std::vector<HistoryRow> history;
  ProfileRow step = made_bench().profile->by_step.front();
  for (const zoo::ModelSpec& spec : zoo::Catalog::built_in().entries()) {
    if (all.size() == 60) break;
    all.push_back({spec.id, &spec});
    for (int64_t i = 0; i < 12; ++i) {
      Run run = bench_of(spec.id, i + 1, 12.3456789 + static_cast<double>(i));
      run.samples_ms.assign(1000, 12.3456789);
      run.profile->by_step.assign(60, step);
      for (int64_t commit = 0; commit < 30; ++commit) {
        HistoryRow row;
        row.commit = fmt::format("{:040}", commit);
        row.machine = machine_fingerprint(run);
        row.configuration = history_configuration(run);
        row.run = run;
        row.run.samples_ms.clear();
        row.run.profile.reset();
        row.run.median_ms = 12.3456 + static_cast<double>(commit);
        history.push_back(std::move(row));
      }
      runs.push_back(std::move(run));
    }
  }
  REQUIRE(runs.size() == 720);
  const auto report = report_of("60 entries", all, runs);
  const json::value data = page_data(report, runs, history);
  CHECK(data.at("bench").at("rows").as_array().size() == 720);
  CHECK(data.at("profiles").as_array().size() == 60);
  CHECK(data.at("history").at("trends").as_array().size() == 720);
  CHECK(data.at("history").at("commits").as_array().size() == 30);
  CHECK(to_html(report, runs, history).size() < 2'000'000);
}
