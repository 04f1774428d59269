// swinzoo completion in a real bash; zsh and fish are in tests/peers/test_completion.py.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>

#include "cmd/command.h"
#include "tests/process.h"
#include "tests/run_binary.h"

using namespace swinzoo;
using Catch::Matchers::VectorContains;
using Words = std::vector<std::string>;

namespace {

// What bash offers for the last of these words, which is being typed, in a folder with the file a.jpg.
Words completions(const Words& typed) {
  const TemporaryFolder folder;
  write_text(folder.path() / "a.jpg", "");
  std::filesystem::create_symlink(SWINZOO_BINARY, folder.path() / "swinzoo");
  const std::string script =
      "cd \"$1\"; PATH=$1:$PATH; shift; eval \"$(swinzoo completion bash)\" || exit 9\n"
      "complete -p swinzoo >/dev/null || exit 8\n"
      "COMP_WORDS=(swinzoo \"$@\") COMP_CWORD=$#; _swinzoo; printf '%s\\n' \"${COMPREPLY[@]}\"";
  Words words = {"/bin/bash", "--norc", "-uc", script, "bash", folder.path()};
  words.insert(words.end(), typed.begin(), typed.end());
  Process process(words, {});
  const int status = process.wait();
  INFO(process.err());
  CHECK(status == 0);
  CHECK(process.err().empty());
  Words out;
  std::istringstream lines(process.out());
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) out.push_back(line);
  }
  return out;
}

}  // namespace

TEST_CASE("bash completes subcommands, and theirs") {
  Words names;
  for (const cmd::Command& command : cmd::commands()) names.emplace_back(command.name);
  CHECK(completions({""}) == names);
  CHECK(completions({"ben"}) == Words{"bench"});
  CHECK(completions({"-q", "ben"}) == Words{"bench"});
  CHECK(completions({"history", "tr"}) == Words{"trend"});
  CHECK(completions({"cache", "v"}) == Words{"verify"});
  CHECK(completions({"history", ""}) == Words{"add", "ls", "show", "trend", "export", "prune"});
  CHECK(completions({"history", "show", "tr"}).empty());
  CHECK(completions({"comp"}) == Words{"compare", "completion"});
}

TEST_CASE("bash completes options and their values") {
  CHECK(completions({"eval", "m", "--dat"}) == Words{"--data"});
  CHECK(completions({"cache", "verify", "--against"}).empty());  // which verify has, and cache verify has not
  CHECK(completions({"verify", "--against"}) == Words{"--against"});
  CHECK(completions({"predict", "--precision", ""}) == Words{"fp32", "bf16"});
  CHECK(completions({"predict", "--precision", "=", "b"}) == Words{"bf16"});
  CHECK(completions({"report", "--format", "h"}) == Words{"html"});
  CHECK(completions({"completion", ""}) == Words{"bash", "zsh", "fish"});
  CHECK(completions({"bench", "--threads", ""}).empty());
  for (const char* command : {"bench", "eval", "fetch", "list", "report"})
    CHECK(completions({command, "--collection", "sa"}) == Words{"sayakpaul/swin/1"});
  CHECK(completions({"compare", "--form"}) == Words{"--format"});
  CHECK(completions({"compare", "a.json", "--format", "j"}) == Words{"json", "junit"});
  CHECK(completions({"compare", "--fail"}) == Words{"--fail-on"});
  CHECK(completions({"history", "show", "--base"}) == Words{"--baseline"});
  CHECK(completions({"history", "show", "--baseline", "--format", "google"}) == Words{"google-benchmark"});
  CHECK(completions({"history", "export", "--format", ""}) == Words{"json", "csv"});
  CHECK(completions({"history", "ls", "--kind", ""}) == Words{"eval", "bench"});
  CHECK(completions({"history", "ls", "--base"}).empty());  // which show has, and ls has not
  CHECK(completions({"history", "add", "--sam"}) == Words{"--samples"});
}

TEST_CASE("bash completes models and files") {
  CHECK_THAT(completions({"info", "sayakpaul/swin_s3_t"}),
             VectorContains(std::string("sayakpaul/swin_s3_tiny_224")));
  CHECK_THAT(completions({"predict", "m", "a"}), VectorContains(std::string("a.jpg")));
  CHECK(completions({"eval", "--data", "a"}) == Words{"a.jpg"});
  CHECK(completions({"report", "a"}) == Words{"a.jpg"});
  CHECK(completions({"compare", "a"}) == Words{"a.jpg"});
  CHECK(completions({"compare", "--base", "a"}) == Words{"a.jpg"});
  CHECK(completions({"history", "add", "a"}) == Words{"a.jpg"});
  for (const Words& command : {Words{"compare"}, Words{"report"}, Words{"history", "show"}}) {
    Words typed = command;
    typed.insert(typed.end(), {"--history", "a"});
    CHECK(completions(typed) == Words{"a.jpg"});
  }
}

TEST_CASE("every command and option stands in each script") {
  CHECK(run_swinzoo({"completion"}).status == 2);
  CHECK(run_swinzoo({"completion", "tcsh"}).status == 2);
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = run_swinzoo({"completion", shell}).out;
    for (const cmd::Command& command : cmd::commands()) {
      CLI::App app(command.summary, command.name);
      command.setup(app);
      std::vector<const CLI::App*> apps = {&app};
      for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
        apps.push_back(sub);
      for (const CLI::App* each : apps) {
        CHECK_THAT(script, Catch::Contains(each->get_name()));
        for (const CLI::Option* option : each->get_options()) {
          const bool is_fish = std::string_view(shell) == "fish";
          for (const std::string& name : option->get_lnames()) {
            CHECK_THAT(script, Catch::Contains((is_fish ? "-l " : "--") + name));
          }
        }
      }
    }
  }
}
