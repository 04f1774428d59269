#include "cmd/project_file.h"

#include <toml++/toml.h>

#include <string_view>

#include "formats/error.h"

namespace fs = std::filesystem;

namespace swinzoo::cmd {
namespace {

constexpr const char* kName = "swinzoo.toml";

template <typename T>
void set(std::optional<T>& member, const toml::node& node, std::string_view key, const std::string& path) {
  member = node.value<T>();
  if (!member.has_value()) {
    fail(ErrorCode::kUsage, "{}:{}: {}: expected {}", path, node.source().begin.line, key,
         std::is_same_v<T, std::string> ? "a text" : "a number");
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
  const toml::table* compare = document["compare"].as_table();
  if (compare == nullptr) return project;
  for (const auto& [key, node] : *compare) {
    const std::string_view name = key.str();
    if (name == "fail-on") {
      set(project.compare_fail_on, node, name, path);
    } else if (name == "noise") {
      set(project.compare_noise, node, name, path);
    } else if (name == "seconds") {
      set(project.compare_seconds, node, name, path);
      if (!(*project.compare_seconds >= 1 && *project.compare_seconds <= 86400)) {
        fail(ErrorCode::kUsage, "{}:{}: seconds: expected 1 to 86400", path, node.source().begin.line);
      }
    } else {
      fail(ErrorCode::kUsage, "{}:{}: [compare] has fail-on, noise and seconds, not '{}'", path,
           node.source().begin.line, name);
    }
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
