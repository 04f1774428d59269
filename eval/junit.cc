#include "eval/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace swinzoo::eval {
namespace {

// For text and for attributes in double quotes; line breaks in attributes are kept by their number.
std::string escape_xml(std::string_view text, bool is_attribute) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += is_attribute ? "&#10;" : "\n";
        break;
      case '\t':
        out += is_attribute ? "&#9;" : "\t";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
  }
  return out;
}

std::string attribute(const std::string& text) { return escape_xml(text, true); }

std::string xml_of(const JunitCase& each) {
  std::string out = fmt::format(R"(    <testcase classname="{}" name="{}" time="{:.3f}">)",
                                attribute(each.class_name), attribute(each.name), each.seconds);
  out += '\n';
  if (!each.failure.empty()) {
    out += fmt::format("      <failure message=\"{}\">{}</failure>\n",
                       attribute(each.failure.substr(0, each.failure.find('\n'))),
                       escape_xml(each.failure, false));
  }
  if (!each.output.empty()) {
    out += fmt::format("      <system-out>{}</system-out>\n", escape_xml(each.output, false));
  }
  return out + "    </testcase>\n";
}

}  // namespace

std::string to_junit_xml(const std::string& suite, std::span<const JunitCase> cases) {
  const auto failures =
      std::ranges::count_if(cases, [](const JunitCase& each) { return !each.failure.empty(); });
  double seconds = 0;
  for (const JunitCase& each : cases) seconds += each.seconds;
  const std::string counts =
      fmt::format(R"(tests="{}" failures="{}" errors="0" time="{:.3f}")", cases.size(), failures, seconds);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out += fmt::format("<testsuites {}>\n  <testsuite name=\"{}\" {}>\n", counts, attribute(suite), counts);
  for (const JunitCase& each : cases) out += xml_of(each);
  return out + "  </testsuite>\n</testsuites>\n";
}

}  // namespace swinzoo::eval
