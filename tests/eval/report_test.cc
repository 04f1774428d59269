#include "eval/report.h"

#include <catch2/catch.hpp>

#include "eval/text_table.h"
#include "tests/eval/made_runs.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

// Checks that every leaf of a result's JSON stands in the report: figures with the same digits, texts as a
// cell or as in JSON.
size_t check_leaves(const json::value& value, const std::string& report, const std::string& where) {
  size_t leaves = 0;
  if (const json::object* object = value.if_object()) {
    for (const auto& member : *object)
      leaves += check_leaves(member.value(), report, where + "." + std::string(member.key()));
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) leaves += check_leaves(element, report, where);
  } else {
    const std::string text = to_pretty_json(value);
    INFO(where << " = " << text);
    const bool quoted = report.find(text) != std::string::npos;
    const bool in_cell =
        value.is_string() && report.find(escape_markdown(as_string(value, where))) != std::string::npos;
    CHECK((quoted || in_cell));
    ++leaves;
  }
  return leaves;
}

}  // namespace

TEST_CASE("every figure of the JSON stands in the report") {
  std::vector<Run> runs = {made_bench(), made_eval(), bare_run("bench")};
  runs[2].error = "it broke";
  const std::string report = to_report(runs);
  CHECK(check_leaves(to_document(runs).at("results"), report, "results") > 80);
  const Run no_run;
  visit_fields(no_run, [&](const Field& field, const auto&) {
    CHECK_THAT(report, Catch::Contains(fmt::format("| {} |", field.name)) ||
                           Catch::Contains(fmt::format("<summary>{}: ", field.name)));
  });
}

TEST_CASE("a report escapes what Markdown would read") {
  const std::string report = to_report(std::vector<Run>{made_bench(), made_eval()});
  CHECK_THAT(report, Catch::Contains("### 1. bench: swin_mini\\|\\`x\\`\n"));
  CHECK_THAT(report, Catch::Contains("| swin_mini\\|\\`x\\` | cpu |"));
  CHECK_THAT(report, Catch::Contains("\n````\n{\"path\":\"n01/bad.jpg\""));  // the message holds ```
}

TEST_CASE("a report shows a machine once and different ones side by side") {
  std::vector<Run> runs = {made_bench(), made_eval()};
  runs[1].load_average = 7;
  CHECK_THAT(to_report(runs), Catch::Contains("|  | Machine |\n"));
  runs[1].cpu = "Another";
  runs[1].governor.clear();
  const std::string report = to_report(runs);
  CHECK_THAT(report, Catch::Contains("|  | Machine 1 | Machine 2 |\n"));
  CHECK_THAT(report, Catch::Contains("| cpu | Some CPU @ 2.00GHz | Another |\n"));
  CHECK_THAT(report, Catch::Contains("| governor | performance |  |\n"));
  CHECK_THAT(report, Catch::Contains("| memory_mb | 24105 MiB | 24105 MiB |\n"));
}

TEST_CASE("a report of a bare run says what it does not know") {
  const std::string report = to_report(std::vector<Run>{bare_run("bench")});
  CHECK_THAT(report, Catch::Contains("1 result. ") && Catch::Contains("do not say on which machine"));
}
