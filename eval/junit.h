// JUnit's XML, as Jenkins and GitLab read it (jenkinsci/xunit-plugin's junit-10.xsd).
#pragma once

#include <span>
#include <string>

namespace swinzoo::eval {

struct JunitCase {
  std::string class_name;  // what it is shown under
  std::string name;
  double seconds = 0;
  std::string failure;  // why it failed, its first line in short; empty: it passed
  std::string output;   // what it has to say; may be empty
};

// One suite of these cases, as a document. Characters that XML can't hold become '?'.
std::string to_junit_xml(const std::string& suite, std::span<const JunitCase> cases);

}  // namespace swinzoo::eval
