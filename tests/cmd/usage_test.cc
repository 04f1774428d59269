// The command line as a whole, by the real binary: usage errors, help, pages, and the exit statuses that no
// other file of this folder ends in.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <regex>

#include "cmd/command.h"
#include "formats/atomic_file.h"
#include "tests/made_model.h"
#include "tests/process.h"
#include "tests/run_binary.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

// The long options that a help text declares.
std::vector<std::string> long_options(const std::string& help) {
  static const std::regex kOption("^ +(?:-\\w,)?(--[a-z-]+)");
  std::vector<std::string> names;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_search(line, match, kOption)) names.push_back(match[1]);
  }
  return names;
}

// The command lines of a subcommand: itself, and with each of its own subcommands.
std::vector<std::vector<std::string>> lines_of(const cmd::Command& command) {
  CLI::App app;
  command.setup(app);
  std::vector<std::vector<std::string>> lines = {{command.name}};
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    lines.push_back({command.name, sub->get_name()});
  }
  return lines;
}

std::string help_of(std::vector<std::string> line) {
  line.emplace_back("--help");
  const Result result = run_swinzoo(line);
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  return result.out;
}

void check_usage_error(const std::vector<std::string>& arguments, const std::string& said) {
  INFO(said);
  const Result result = run_swinzoo(arguments);
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, Catch::StartsWith("swinzoo: error: ") && Contains(said));
}

}  // namespace

TEST_CASE("help and version go to standard output and end in 0") {
  const Result help = run_swinzoo({"--help"});
  CHECK(help.status == 0);
  CHECK(help.err.empty());
  for (const cmd::Command& command : cmd::commands()) CHECK_THAT(help.out, Contains(command.summary));
  CHECK_THAT(help.out, Contains("Exit status: 0 ok"));
  CHECK(run_swinzoo({"--version"}).out == "swinzoo " SWINZOO_VERSION "\n");
}

TEST_CASE("every subcommand has help with its options") {
  for (const cmd::Command& command : cmd::commands()) {
    INFO(command.name);
    CLI::App app;
    command.setup(app);
    const Result result = run_swinzoo({command.name, "--help"});
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK_THAT(result.out, Contains(command.summary));
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) CHECK_THAT(result.out, Contains("--" + name));
    }
  }
}

TEST_CASE("the help of every subcommand, and of theirs, has examples, which it understands") {
  for (const cmd::Command& command : cmd::commands()) {
    for (const std::vector<std::string>& words : lines_of(command)) {
      const std::string start = fmt::format("  swinzoo {}", fmt::join(words, " "));
      INFO(start);
      const std::string help = help_of(words), title = "Examples:\n";
      const size_t at = help.find(title);
      REQUIRE(at != std::string::npos);
      std::istringstream lines(help.substr(at + title.size()));
      int examples = 0;
      for (std::string line; std::getline(lines, line) && !line.empty(); ++examples) {
        INFO(line);
        CHECK((line == start || line.starts_with(start + " ")));
        CLI::App app("", "swinzoo");
        cmd::Globals globals;
        cmd::Action action;
        declare(app, globals, action);
        CHECK_NOTHROW(app.parse(line.substr(line.find("swinzoo")), true));
        CHECK(action != nullptr);
      }
      CHECK(examples > 0);
    }
  }
}

TEST_CASE("list -q prints ids and nothing else") {
  const Result ids = run_swinzoo({"list", "-q", "--collection", "microsoft"});
  CHECK(ids.status == 0);
  CHECK_THAT(ids.out, Catch::StartsWith("microsoft/swin") && !Contains(" "));
}

TEST_CASE("a wrong command line ends in 2 and suggests what was meant") {
  check_usage_error({}, "--help");
  check_usage_error({"predcit"}, "did you mean 'predict'?");
  check_usage_error({"--halp"}, "did you mean '--help'?");
  check_usage_error({"list", "--quite"}, "did you mean '--quiet'?");
  check_usage_error({"eval", "m", "--data", "d", "--batch-sise", "3"}, "did you mean '--batch-size'?");
  check_usage_error({"bench", "m", "--thread=2"}, "did you mean '--threads'?");
  check_usage_error({"history", "tred"}, "did you mean 'trend'?");
  check_usage_error({"history", "show", "--baselin"}, "did you mean '--baseline'?");
  check_usage_error({"history", "show", "--baselin"}, "swinzoo history show --help");
  check_usage_error({"history", "add", "r", "--comit", "HEAD"}, "did you mean '--commit'?");
  check_usage_error({"history", "show", "--format", "jsno"}, "did you mean 'json'?");
  check_usage_error({"history", "ls", "--kind", "evel"}, "did you mean 'eval'?");
  check_usage_error({"history", "trend", "--histroy", "h.db"}, "did you mean '--history'?");
  check_usage_error({"cache", "verfy"}, "did you mean 'verify'?");
  check_usage_error({"cache", "rm", "m", "--dry-ran"}, "did you mean '--dry-run'?");
  check_usage_error({"compare", "a", "b", "--fail-ob", "x"}, "did you mean '--fail-on'?");
  check_usage_error({"compare", "a", "b", "--format", "jnit"}, "did you mean 'junit'?");
  check_usage_error({"report", "r", "--format", "htm"},
                    "'htm' is none of md, csv, html; did you mean 'html'?");
  check_usage_error({"convert", "a", "b", "-o", "c"}, "b");
  check_usage_error({"inspect"}, "swinzoo inspect --help");
  check_usage_error({"predict", "m"}, "input");
  check_usage_error({"predict", "m", "i", "--backend", "gpu"}, "--backend");
  check_usage_error({"predict", "m", "i", "--precision", "int4"}, "--precision");
  check_usage_error({"count", "m", "--format", "yaml"}, "--format");
  check_usage_error({"convert", "m", "-o"}, "--output");
}

TEST_CASE("global options may stand before or behind the subcommand") {
  CHECK(run_swinzoo({"-q", "-v", "list"}).status == 0);
  CHECK(run_swinzoo({"list", "-q", "-vv"}).status == 0);
}

TEST_CASE("output that can not be written ends in 6 on a full disk") {
  if (!std::filesystem::exists("/dev/full")) return;
  const std::string script = "exec \"$0\" count swin_tiny_patch4_window7_224 > /dev/full";
  Process full({"/bin/sh", "-c", script, SWINZOO_BINARY}, {});
  CHECK(full.wait() == 6);
  CHECK_THAT(full.err(), Contains("standard output: No space left on device"));
}

TEST_CASE("a path that the system refuses is an error of that path and not of standard output") {
  const TemporaryFolder folder;
  write_model(folder.path() / "mini");
  const std::string longest = folder.path() / std::string(300, 'n');
  const Result result = run_swinzoo({"convert", folder.path() / "mini", "-o", longest});
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("nnn") && !Contains("standard output"));
  CHECK(run_swinzoo({"info", std::string(300, 'n')}).status == 3);
  CHECK(run_swinzoo({"eval", folder.path() / "mini", "--data", longest}).status != 0);
  CHECK(run_swinzoo({"report", longest}).status == 1);
}

TEST_CASE("every subcommand has a page that tells its options") {
  for (const cmd::Command& command : cmd::commands()) {
    const auto page =
        std::filesystem::path(SWINZOO_SOURCE_DIR) / "docs" / (std::string(command.name) + ".md");
    INFO(page);
    REQUIRE(std::filesystem::exists(page));
    const std::string text = read_text(page);
    for (const auto& line : lines_of(command)) {
      for (const std::string& option : long_options(help_of(line))) {
        if (option != "--help") CHECK_THAT(text, Contains(option));
      }
    }
  }
}
