#include "eval/run_writer.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "tests/eval/made_runs.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("eval's CSV begins with the columns of timm's results") {
  const auto lines = lines_of(to_csv(std::vector<Run>{made_eval()}));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].starts_with(
      "model,top1,top1_err,top5,top5_err,param_count,img_size,crop_pct,interpolation,kind,"));
  CHECK(lines[1].starts_with(
      "\"hf:made/up, \"\"second\"\"\",71.4286,28.5714,85.7143,14.2857,28.29,224,0.9,bicubic,eval,"));
  CHECK(lines[0].find("median_ms") == std::string::npos);
  CHECK(lines[0].find(",samples,") == std::string::npos);
}

TEST_CASE("bench's CSV begins with the columns of timm's benchmarks") {
  const auto lines = lines_of(to_csv(std::vector<Run>{made_bench()}));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].starts_with(
      "model,infer_samples_per_sec,infer_step_time,infer_batch_size,infer_img_size,infer_gmacs,"
      "infer_macts,param_count,"));
  CHECK(lines[1].starts_with("swin_mini|`x`,195.50,40.915,8,224,4.49,17.08,28.29,"));
  CHECK(lines[0].find(",median_ms,") != std::string::npos);
  CHECK(lines[0].find("top1") == std::string::npos);
}

TEST_CASE("a CSV of both kinds has as many cells in each line") {
  std::vector<Run> runs = {made_bench(), made_eval()};
  runs[1].model = "plain";
  runs[1].labelled_by = "folders";
  for (Run& run : runs) run.cpu_features.clear();
  const auto lines = lines_of(to_csv(runs));
  REQUIRE(lines.size() == 3);
  const auto commas = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  CHECK(commas(lines[1]) == commas(lines[0]));
  CHECK(commas(lines[2]) == commas(lines[0]));
}

TEST_CASE("JSON lines are the results one by one") {
  const std::vector<Run> runs = {made_bench(), made_eval()};
  const auto lines = lines_of(to_jsonl(runs));
  REQUIRE(lines.size() == 2);
  const json::value document = to_document(runs);
  for (size_t i = 0; i < 2; ++i)
    CHECK(to_pretty_json(parse_json(lines[i], "line")) == to_pretty_json(document.at("results").at(i)));
}

TEST_CASE("the text has a table a kind without empty columns and names skipped files") {
  Run bench = made_bench();
  bench.profile.reset();
  bench.gmacs_per_second.reset();
  Run second = bench;
  second.load_ms.reset();
  const std::string text = to_text(std::vector<Run>{bench, second, made_eval()});
  const auto lines = lines_of(text);
  REQUIRE(lines.size() == 14);
  CHECK_THAT(lines[0],
             Catch::StartsWith("Model") && Catch::Contains("Top-1 %") && !Catch::Contains("Median"));
  CHECK_THAT(lines[1], Catch::Contains("71.429"));
  CHECK_THAT(lines[3],
             Catch::Contains("Median ms") && Catch::Contains("Load ms") && !Catch::Contains("GMAC/s"));
  CHECK_THAT(lines[4], Catch::Contains("40.100") && Catch::Contains("123.5"));
  CHECK_THAT(lines[5], Catch::Contains("40.100") && Catch::Contains(" - "));
  CHECK_THAT(lines[0], Catch::Contains("95%"));
  CHECK_THAT(lines[1], Catch::Contains("35.89-91.78") && Catch::Contains("48.69-97.43"));
  CHECK_THAT(lines[7], Catch::StartsWith("Model") && Catch::Contains("Published by"));
  CHECK_THAT(lines[8],
             Catch::Contains("81.250") && Catch::Contains("-9.821  yes") && Catch::Contains("-9.786  no"));
  CHECK_THAT(lines[9], Catch::Contains("authors") && Catch::Contains("81.500") && Catch::EndsWith(" -"));
  CHECK_THAT(text, Catch::Contains("1 skipped") && Catch::Contains("n01/bad.jpg: is | truncated"));
}

TEST_CASE("text and Markdown show a run's profile, CSV leaves it out") {
  const std::vector<Run> runs = {made_bench(), made_eval()};
  const std::string text = to_text(runs);
  CHECK_THAT(text, Catch::Contains("batch 8, 2 threads: time by step, medians of 5 calls; roof 485 GFLOP/s, "
                                   "38.1 GB/s\nkind of step "));
  CHECK_THAT(text, Catch::Contains("\nlayers.0.blocks.0.mlp  mlp ") && Catch::Contains("\ntotal "));
  CHECK_THAT(to_markdown(runs), Catch::Contains("### swin_mini\\|\\`x\\`, batch 8") &&
                                    Catch::Contains("| layers.0.blocks.0.mlp | mlp | 1.062 |"));
  CHECK_THAT(to_csv(runs), !Catch::Contains(",profile,") && !Catch::Contains(",profile\n") &&
                               !Catch::Contains("by_step") && !Catch::Contains("layers.0"));
}

TEST_CASE("accuracy by class is a CSV of its own") {
  CHECK(to_class_csv(std::vector<Run>{made_eval(), made_bench()}) ==
        "model,class,name,count,top1,top5\n"
        "\"hf:made/up, \"\"second\"\"\",1,n01,4,75.0000,100.0000\n"
        "\"hf:made/up, \"\"second\"\"\",17,\"a, \"\"b\"\"\",3,66.6667,66.6667\n");
  CHECK_THAT(to_markdown(std::vector<Run>{made_eval()}), Catch::Contains("### Published figures"));
}

TEST_CASE("google-benchmark's form has the calls as repetitions, and leaves out what has no time") {
  Run many = made_bench();
  many.samples_ms.clear();
  for (int i = 0; i < 100; ++i) many.samples_ms.push_back(i);
  Run failed = bare_run("bench");
  failed.error = "no";
  const std::vector<Run> runs = {made_bench(), made_eval(), failed, many};
  const json::value document = parse_json(to_google_benchmark(runs), "it");
  CHECK(document.at("context").at("num_cpus") == 3);
  CHECK(document.at("context").at("library_build_type") == "release");
  const json::array& benchmarks = document.at("benchmarks").as_array();
  REQUIRE(benchmarks.size() == 35);
  const json::object& first = benchmarks[0].as_object();
  CHECK(first.at("name") == "swin_mini|`x`/fp32, 2 threads, 1 streams, batch 8, with preprocessing, pinned");
  CHECK(first.at("run_type") == "iteration");
  CHECK(first.at("repetitions") == 5);
  CHECK(first.at("real_time") == 41.523456789);
  CHECK(as_number(first.at("cpu_time"), "cpu_time") == Approx(90));
  CHECK(first.at("time_unit") == "ms");
  int64_t calls = 0;
  for (size_t i = 5; i < benchmarks.size(); ++i) {
    CHECK(as_int(benchmarks[i].at("repetition_index"), "it") == static_cast<int64_t>(i - 5));
    calls += as_int(benchmarks[i].at("iterations"), "it");
  }
  CHECK(calls == 100);
  CHECK(benchmarks[5].at("real_time") == 1);  // of 0, 1 and 2
}

TEST_CASE("github-action-benchmark's form has what is better where it is smaller") {
  Run failed = bare_run("bench");
  failed.error = "no";
  const json::value document =
      parse_json(to_action_benchmark(std::vector<Run>{made_bench(), made_eval(), failed}), "it");
  std::vector<std::string> names;
  for (const json::value& entry : document.as_array()) {
    const std::string name = as_string(entry.at("name"), "name");
    names.push_back(name.substr(name.rfind(": ") + 2));
    CHECK(entry.at("value").is_number());
    CHECK(entry.at("unit").is_string());
    CHECK_THAT(as_string(entry.at("extra"), "extra"), Catch::Contains("Some CPU"));
  }
  CHECK(names ==
        std::vector<std::string>{"median latency", "load time", "peak memory", "top-1 error", "top-5 error"});
  CHECK(document.at(0).at("value") == 40.1);
  CHECK(document.at(0).at("range") == "± 1.775");
  CHECK_FALSE(document.at(1).as_object().contains("range"));
}

TEST_CASE("JUnit's form has a test case a run, which fails where the run did") {
  Run failed = bare_run("bench");
  failed.error = "a <bad> & \"worse\"\nfile\x01";
  Run good = made_bench();
  const std::string xml = to_junit(std::vector<Run>{good, failed});
  CHECK_THAT(xml, Catch::StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "
                                    "name=\"swinzoo\" tests=\"2\" failures=\"1\" "));
  CHECK_THAT(
      xml, Catch::Contains("<testcase classname=\"swinzoo.bench.swin_mini|`x`\" name=\"fp32, 2 threads, ") &&
               Catch::Contains("time=\"0.205\"") && Catch::Contains("warning: the machine is | busy&#10;"));
  CHECK_THAT(xml,
             Catch::Contains("<failure message=\"a &lt;bad&gt; &amp; &quot;worse&quot;\">a &lt;bad&gt; &amp; "
                             "&quot;worse&quot;&#10;file?</failure>"));
}

TEST_CASE("text and Markdown say what failed") {
  Run failed = made_bench();
  failed.error = "it | broke";
  CHECK_THAT(to_text(std::vector<Run>{failed}),
             Catch::Contains("batch 8, with preprocessing, pinned: failed: it | broke"));
  CHECK_THAT(to_markdown(std::vector<Run>{failed}), Catch::Contains("failed: it \\| broke"));
}

TEST_CASE("every form can be chosen by its name") {
  std::vector<std::string> names;
  for (const RunFormat& format : run_formats()) {
    names.emplace_back(format.name);
    CHECK_FALSE(format.write(std::vector<Run>{made_eval()}).empty());
  }
  CHECK(names == std::vector<std::string>{"text", "json", "jsonl", "csv", "md", "google-benchmark",
                                          "github-action-benchmark", "junit"});
}

TEST_CASE("lists of lines can be written a run at a time") {
  Run failed = made_bench();
  failed.error = "it, \"broke\"";
  for (const std::vector<Run>& runs :
       {std::vector{made_bench(), failed, bare_run("bench")}, std::vector{made_eval(), bare_run("eval")}}) {
    std::vector<std::string> lists;
    for (const RunFormat& format : run_formats()) {
      if (!format.header_lines.has_value()) continue;
      lists.emplace_back(format.name);
      std::string lines;
      for (size_t count = 1; count <= runs.size(); ++count) {
        lines += last_lines(format, std::span(runs).first(count));
      }
      CHECK(lines == format.write(runs));
    }
    CHECK(lists == std::vector<std::string>{"jsonl", "csv"});
  }
}
