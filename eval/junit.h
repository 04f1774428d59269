// JUnit's XML, as Jenkins and GitLab read it (jenkinsci/xunit-plugin's junit-10.xsd).
#pragma once

#include <span>
#include <string>
#include <vector>

namespace swinzoo::eval {

struct JunitCase {
  std::string class_name;  // what it is shown under
  std::string name;
  double seconds = 0;
  std::string failure;  // why it failed; empty: it did not
  std::string skipped;  // why nothing can be said; empty: something can
  std::string output;   // what it has to say; may be empty
};

struct JunitSuite {
  std::string name;
  std::vector<JunitCase> cases;
};

// A document of these suites. Text is escaped as escape_xml() does.
std::string to_junit_xml(const std::string& name, std::span<const JunitSuite> suites);

}  // namespace swinzoo::eval
