// A folder includes only those above it in docs/architecture.md's table.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

namespace fs = std::filesystem;

namespace {

constexpr std::array<const char*, 5> kLayers = {"formats", "backends", "zoo", "eval", "cmd"};

ptrdiff_t layer_of(const std::string& folder) {
  const auto found = std::find(kLayers.begin(), kLayers.end(), folder);
  return found == kLayers.end() ? -1 : found - kLayers.begin();
}

// The folders that a source text includes from, in its order.
std::vector<std::string> included_folders(std::istream& source) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s+"([^"/]+)/)re");
  std::vector<std::string> folders;
  std::smatch match;
  for (std::string line; std::getline(source, line);) {
    if (std::regex_search(line, match, kInclude)) folders.push_back(match[1]);
  }
  return folders;
}

}  // namespace

TEST_CASE("no folder includes one below it") {
  size_t files = 0;
  for (const char* layer : kLayers) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(SWINZOO_SOURCE_DIR) / layer)) {
      const std::string extension = entry.path().extension();
      if (extension != ".cc" && extension != ".h" && extension != ".inc") continue;
      ++files;
      std::ifstream source(entry.path());
      for (const std::string& folder : included_folders(source)) {
        INFO(entry.path() << " includes from " << folder);
        CHECK(layer_of(folder) >= 0);
        CHECK(layer_of(folder) <= layer_of(layer));
      }
    }
  }
  CHECK(files > 10);
}

TEST_CASE("an include of a lower folder is seen") {
  std::istringstream source("#include <vector>\n  # include \"eval/run.h\"\n#include \"formats/error.h\"\n");
  CHECK(included_folders(source) == std::vector<std::string>{"eval", "formats"});
}
