#include "eval/run_command.h"

#include <catch2/catch.hpp>

#include "tests/error_code.h"

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
