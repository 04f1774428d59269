#include "eval/comparison_writer.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "formats/json.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using Catch::Contains;

namespace {

Comparison made_comparison() {
  Comparison comparison;
  ConfigurationResult& result = comparison.results.emplace_back();
  result.configuration = "m|1, batch 1";
  result.base = "base.json";
  result.next = "new.json";
  MeasureResult latency;
  latency.measure = "latency";
  latency.unit = "ms";
  latency.base = 2;
  latency.next = 2.1;
  latency.worse_by = 5;
  latency.worse_by_low = 4.25;
  latency.worse_by_high = 5.75;
  latency.p = 0.0001;
  latency.p_adjusted = 0.0002;
  latency.effect = 0.9;
  latency.threshold = 3;
  latency.noise_floor = 0.5;
  latency.base_count = latency.next_count = 40;
  latency.verdict = "worse";
  latency.confirmed = true;
  latency.base_samples = {2, 2};
  MeasureResult memory;
  memory.measure = "memory";
  memory.unit = "MiB";
  memory.base = memory.next = 27.5;
  memory.threshold = 5;
  memory.verdict = "same";
  MeasureResult top1;
  top1.measure = "top1";
  top1.unit = "%";
  top1.base = 80;
  top1.next = 79;
  top1.worse_by = 1;
  top1.worse_by_low = -1;
  top1.worse_by_high = 3;
  top1.threshold = 0.1;
  top1.verdict = "inconclusive";
  top1.why = "few <images>";
  MeasureResult digest;
  digest.measure = "digest";
  digest.worse_by = 100;
  result.measures = {latency, memory, top1, digest};
  result.lost = {{"a_b/1.jpg", 3, 4}};
  for (int i = 0; i < 60; ++i) result.gained.push_back({std::to_string(i), 1, 2});
  result.notes = {"weights: a in base, b in the new side"};
  return comparison;
}

}  // namespace

TEST_CASE("text has every measure, why, the notes, the flips and how it ends") {
  const std::string text = to_text(made_comparison());
  CHECK_THAT(text, Contains("base: base.json, new: new.json"));
  CHECK_THAT(text, Contains("+4.2 to +5.8") || Contains("+4.3 to +5.8"));
  CHECK_THAT(text, Contains("worse, confirmed"));
  CHECK_THAT(text, Contains("+1.00 pt") && Contains("0.1 pt"));
  CHECK_THAT(text, Contains("other bits") && Contains("not judged"));
  CHECK_THAT(text, Contains("top1: few <images>"));
  CHECK_THAT(text, Contains("weights: a in base"));
  CHECK_THAT(text, Contains("1 image right only in base:\n  a_b/1.jpg: 3 in base, 4 in the new side\n"));
  CHECK_THAT(text, Contains("... and 10 more"));
  CHECK(text.ends_with("\nperformance regression\n"));
}

TEST_CASE("Markdown has what changed first and folds the rest away") {
  const std::string text = to_markdown(made_comparison());
  CHECK(text.starts_with("### swinzoo compare: performance regression\n\n| Configuration |"));
  const size_t folded = text.find("<details>");
  CHECK(text.find("| m\\|1, batch 1 | latency ms |") < folded);
  CHECK(text.find("memory MiB") > folded);
  CHECK_THAT(text, Contains("- m\\|1, batch 1: top1: few \\<images\\>\n"));
  CHECK_THAT(text, Contains("1 image right only in base</summary>\n\n- a_b/1.jpg: 3 in base"));
  size_t opened = 0, closed = 0;
  for (size_t at = 0; (at = text.find("<details>", at)) != std::string::npos; ++at) ++opened;
  for (size_t at = 0; (at = text.find("</details>", at)) != std::string::npos; ++at) ++closed;
  CHECK(opened == 3);
  CHECK(closed == 3);
}

TEST_CASE("JSON has all of it") {
  const json::value document = parse_json(to_json(made_comparison()), "json");
  CHECK(document.at("schema") == 1);
  CHECK(document.at("verdict") == "performance regression");
  CHECK(document.at("status") == 11);
  const json::value& result = document.at("results").at(0);
  CHECK(result.at("gained").as_array().size() == 60);
  const json::value& row = result.at("measures").at(0);
  CHECK(row.at("worse_by_low") == 4.25);
  CHECK(row.at("confirmed") == true);
  CHECK(row.at("base_samples").as_array().size() == 2);
  CHECK(find_member(result.at("measures").at(3).as_object(), "verdict") == nullptr);
}

TEST_CASE("JUnit has a test a judged measure") {
  const std::string text = to_junit(made_comparison());
  CHECK(
      text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"swinzoo compare\" "
                       "tests=\"3\" failures=\"1\" errors=\"0\" time="));
  CHECK_THAT(text, Contains("failures=\"1\" errors=\"0\" skipped=\"1\" time="));
  CHECK_THAT(
      text,
      Contains("<testcase classname=\"m|1, batch 1\" name=\"latency\" time=\"0.000\">\n      <failure"));
  CHECK_THAT(text, Contains("few &lt;images&gt;"));
  CHECK_THAT(text, !Contains("digest"));
}

TEST_CASE("what ends well says so") {
  Comparison comparison = made_comparison();
  comparison.results[0].measures.erase(comparison.results[0].measures.begin());
  CHECK(headline(comparison) == "inconclusive");
  comparison.results[0].measures.resize(1);
  CHECK(headline(comparison) == "no regression");
  CHECK_THAT(to_markdown(comparison), Contains("Nothing that is judged changed."));
}

TEST_CASE("the documentation lists every field of the JSON") {
  std::ifstream file(SWINZOO_SOURCE_DIR "/docs/compare.md");
  std::stringstream text;
  text << file.rdbuf();
  const ConfigurationResult none;
  visit_fields(none, [&](const Field& field, const auto&) {
    CHECK_THAT(text.str(), Contains(fmt::format("| `{}` | {} |\n", field.name, field.about)));
  });
  const MeasureResult no_row;
  visit_fields(no_row, [&](const Field& field, const auto&) {
    CHECK_THAT(text.str(),
               Contains(fmt::format("| `{}` | {} | {} |\n", field.name, field.unit, field.about)));
  });
}
