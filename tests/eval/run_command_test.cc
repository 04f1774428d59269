#include "eval/run_command.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>

#include "tests/environment.h"
#include "tests/error_code.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using Words = std::vector<std::string>;

TEST_CASE("words are split at blanks that are not quoted") {
  CHECK(words_of("a b  c\t") == Words{"a", "b", "c"});
  CHECK(words_of("'a b' \"c d\" e\\ f") == Words{"a b", "c d", "e f"});
  CHECK(words_of("--x='1 2'3 '' \"a\\\"b\" 'a\\b' $HOME") == Words{"--x=1 23", "", "a\"b", "a\\b", "$HOME"});
  CHECK(code_of([] { words_of("'a"); }) == ErrorCode::kUsage);
  CHECK(code_of([] { words_of("  "); }) == ErrorCode::kUsage);
}

TEST_CASE("a command's outputs, status, time and memory are kept") {
  const CommandResult result = run_command({"sh", "-c", "cat; echo out; echo err >&2; exit 3"});
  CHECK(result.status == 3);
  CHECK(result.out == "out\n");
  CHECK(result.err == "err\n");
  CHECK(result.seconds > 0);
  CHECK(result.peak_memory_mb > 0);
  CHECK(run_command({"sh", "-c", "kill -TERM $$"}).status == 128 + 15);
  CHECK(run_command({"sh", "-c", "seq 100000"}).out.size() == 588895);
  CHECK(code_of([] { run_command({"/no/such/program"}); }) == ErrorCode::kNotFound);
}

TEST_CASE("a command's memory is its own only where it is more than ours") {
  const CommandResult small = run_command({"true"});
  CHECK(small.peak_memory_mb <= small.own_memory_mb);
  const auto much = fmt::format("bs={}M", static_cast<int>(small.own_memory_mb) + 100);
  const CommandResult large = run_command({"dd", "if=/dev/zero", "of=/dev/null", "count=1", much});
  CHECK(large.status == 0);
  CHECK(large.peak_memory_mb > large.own_memory_mb + 50);
}

TEST_CASE("a command is ended where its caller says so, if need be by force") {
  const auto at_once = [] { return true; };
  CHECK(run_command({"sleep", "1000"}, at_once).status == 128 + SIGTERM);
  const TemporaryFolder folder;
  const std::string ready = folder.path() / "ready";
  const CommandResult deaf =
      run_command({"sh", "-c", "trap '' TERM; echo out; : > \"$0\"; while :; do sleep 0.1; done", ready},
                  [&] { return std::filesystem::exists(ready); });
  CHECK(deaf.status == 128 + SIGKILL);
  CHECK(deaf.out == "out\n");
  CHECK(run_command({"sh", "-c", "exit 4"}, [] { return false; }).status == 4);
}

TEST_CASE("what commands write lies in TMPDIR meanwhile") {
  const EnvironmentVariable folder("TMPDIR", "/no/such/folder");
  CHECK_THROWS_WITH(run_command({"true"}), Catch::Contains("/no/such/folder"));
}
