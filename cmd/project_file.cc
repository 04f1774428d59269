#include "cmd/project_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "formats/error.h"
#include "zoo/suggest.h"

namespace fs = std::filesystem;

namespace swinzoo::cmd {
namespace {

constexpr const char* kName = "swinzoo.toml";
const std::vector<std::string> kCompareKeys = {"fail-on", "noise", "seconds"};

[[noreturn]] void fail_at(const std::string& path, const toml::node& node, const std::string& message) {
  fail(ErrorCode::kUsage, "{}:{}: {}", path, node.source().begin.line, message);
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  const auto near = zoo::nearest(word, known);
  return near ? fmt::format("; did you mean '{}'?", *near) : "";
}

template <typename T>
void set(std::optional<T>& member, const toml::node& node, std::string_view key, const std::string& path) {
  member = node.value<T>();
  if (!member.has_value()) {
    fail_at(path, node,
            fmt::format("{}: expected {}", key, std::is_same_v<T, std::string> ? "a text" : "a number"));
  }
}

void read_compare(ProjectFile& project, const toml::table& compare) {
  const std::string& path = project.path;
  for (const auto& [key, node] : compare) {
    const std::string_view name = key.str();
    if (name == "fail-on") {
      set(project.compare_fail_on, node, name, path);
    } else if (name == "noise") {
      set(project.compare_noise, node, name, path);
    } else if (name == "seconds") {
      set(project.compare_seconds, node, name, path);
      if (!(*project.compare_seconds >= 1 && *project.compare_seconds <= 86400)) {
        fail_at(path, node, "seconds: expected 1 to 86400");
      }
    } else {
      fail_at(path, node,
              fmt::format("[compare] has {}, not '{}'{}", fmt::join(kCompareKeys, ", "), name,
                          suggestion(name, kCompareKeys)));
    }
  }
}

ProjectFile read(const std::string& path) {
  ProjectFile project;
  project.path = path;
  toml::table document;
  try {
    document = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    fail(ErrorCode::kUsage, "{}:{}: {}", path, error.source().begin.line, error.description());
  }
  for (const auto& [key, node] : document) {
    const std::string_view name = key.str();
    if (name != "compare") {
      const bool is_of_compare = std::ranges::find(kCompareKeys, name) != kCompareKeys.end();
      fail_at(path, node,
              is_of_compare ? fmt::format("'{}' belongs under [compare]", name)
                            : fmt::format("[compare] is the only table, there is no '{}'{}", name,
                                          suggestion(name, {"compare"})));
    }
    if (!node.is_table()) fail_at(path, node, "compare: expected one table, [compare]");
    read_compare(project, *node.as_table());
  }
  return project;
}

}  // namespace

ProjectFile read_project_file(const fs::path& folder) {
  for (fs::path at = fs::absolute(folder);; at = at.parent_path()) {
    if (fs::is_regular_file(at / kName)) return read((at / kName).string());
    if (at == at.parent_path()) return {};
  }
}

}  // namespace swinzoo::cmd
