#include "eval/junit.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/xml.h"

namespace swinzoo::eval {
namespace {

std::string xml_of(const JunitCase& each) {
  std::string out = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n",
                                escape_xml(each.class_name), escape_xml(each.name), each.seconds);
  if (!each.failure.empty()) {
    const std::string first_line = each.failure.substr(0, each.failure.find('\n'));
    out += fmt::format("      <failure message=\"{}\">{}</failure>\n", escape_xml(first_line),
                       escape_xml(each.failure));
  }
  if (!each.skipped.empty()) {
    out += fmt::format("      <skipped message=\"{}\"/>\n", escape_xml(each.skipped));
  }
  if (!each.output.empty()) {
    out += fmt::format("      <system-out>{}</system-out>\n", escape_xml(each.output));
  }
  return out + "    </testcase>\n";
}

struct Counts {
  int64_t tests = 0;
  int64_t failures = 0;
  int64_t skipped = 0;
  double seconds = 0;

  void add(const JunitSuite& suite) {
    for (const JunitCase& each : suite.cases) {
      ++tests;
      failures += !each.failure.empty();
      skipped += !each.skipped.empty();
      seconds += each.seconds;
    }
  }
  // The schema has `skipped` for a suite, and not for all of them.
  std::string text(bool is_suite) const {
    return fmt::format(R"(tests="{}" failures="{}" errors="0"{} time="{:.3f}")", tests, failures,
                       is_suite ? fmt::format(R"( skipped="{}")", skipped) : "", seconds);
  }
};

}  // namespace

std::string to_junit_xml(const std::string& name, std::span<const JunitSuite> suites) {
  Counts all;
  std::string body;
  for (const JunitSuite& suite : suites) {
    Counts own;
    own.add(suite);
    all.add(suite);
    body += fmt::format("  <testsuite name=\"{}\" {}>\n", escape_xml(suite.name), own.text(true));
    for (const JunitCase& each : suite.cases) body += xml_of(each);
    body += "  </testsuite>\n";
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" {}>\n{}</testsuites>\n",
      escape_xml(name), all.text(false), body);
}

}  // namespace swinzoo::eval
