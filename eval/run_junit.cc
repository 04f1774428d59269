// Runs as JUnit's XML: a test case a run, which fails where the run did.
#include "eval/junit.h"
#include "eval/run_setup.h"
#include "eval/run_writer.h"

namespace swinzoo::eval {
namespace {

JunitCase case_of(const Run& run) {
  JunitCase each{.class_name = "swinzoo." + run.kind + "." + run.model,
                 .name = setup_text(run),
                 .seconds = run.timed_seconds.value_or(run.seconds.value_or(0)),
                 .failure = run.error,
                 .skipped = "",
                 .output = run.error.empty() ? to_text(std::span(&run, 1)) : ""};
  if (run.skipped.has_value() && !run.skipped->empty()) {
    each.failure = fmt::format("{} images could not be read", run.skipped->size());
  }
  for (const std::string& warning : run.warnings) each.output += "warning: " + warning + "\n";
  return each;
}

}  // namespace

std::string to_junit(std::span<const Run> runs) {
  JunitSuite suite{"swinzoo", {}};
  for (const Run& run : runs) suite.cases.push_back(case_of(run));
  return to_junit_xml("swinzoo", std::span(&suite, 1));
}

}  // namespace swinzoo::eval
