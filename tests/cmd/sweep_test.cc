#include "cmd/sweep.h"

#include <catch2/catch.hpp>

#include "formats/error.h"
#include "tests/error_code.h"

using namespace swinzoo;
using namespace swinzoo::cmd;

TEST_CASE("numbers and ranges are what llama-bench makes of them") {
  const auto numbers = [](const char* text) { return parse_numbers(text, "--batch", 65536); };
  using Numbers = std::vector<int>;
  CHECK(numbers("1") == Numbers{1});
  CHECK(numbers("1,8,32") == Numbers{1, 8, 32});
  CHECK(numbers("1-4") == Numbers{1, 2, 3, 4});
  CHECK(numbers("1-9+4") == Numbers{1, 5, 9});
  CHECK(numbers("1-10+4") == Numbers{1, 5, 9});
  CHECK(numbers("1-64*2") == Numbers{1, 2, 4, 8, 16, 32, 64});
  CHECK(numbers("3-20*3") == Numbers{3, 9});
  CHECK(numbers("5-5") == Numbers{5});
  CHECK(numbers("8,1-2,2,8") == Numbers{8, 1, 2});
  CHECK(numbers("65535-65536") == Numbers{65535, 65536});
}

TEST_CASE("other texts are refused by their option's name") {
  for (const char* text : {"",    ",",     "1,",      ",1",     "0",           "-1",    "1-", "-",
                           "4-1", "1-4*1", "1-4+0",   "1-4*",   "1-4*x",       "1..4",  "x",  " 1",
                           "1.5", "65537", "1-65537", "1-5000", "99999999999", "1-2-3", "1+2"}) {
    INFO(text);
    try {
      parse_numbers(text, "--batch", 65536);
      FAIL("read");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::kUsage);
      CHECK_THAT(error.what(), Catch::StartsWith("--batch: "));
    }
  }
}

TEST_CASE("a sweep is all combinations but those with more streams than threads") {
  Sweep sweep;
  sweep.precisions = {backends::Precision::kFp32, backends::Precision::kBf16};
  sweep.threads = {1, 4};
  sweep.streams = {1, 2};
  sweep.batches = {1, 8};
  const auto found = configurations_of(sweep);
  REQUIRE(found.size() == 12);
  CHECK(found[0] == Configuration{{backends::Precision::kFp32, 1, 1}, 1});
  CHECK(found[1] == Configuration{{backends::Precision::kFp32, 1, 1}, 8});
  CHECK(found[2] == Configuration{{backends::Precision::kFp32, 4, 1}, 1});
  CHECK(found[4] == Configuration{{backends::Precision::kFp32, 4, 2}, 1});
  CHECK(found[6].load.precision == backends::Precision::kBf16);
  CHECK(to_text(found[11]) == "bf16, 4 threads, 2 streams, batch 8");
  sweep.streams = {5};
  CHECK(configurations_of(sweep).empty());
}

TEST_CASE("for throughput there are several streams of few threads") {
  Sweep sweep;
  sweep.mode = Mode::kThroughput;
  sweep.threads = {1, 2, 4, 6, 16, 30, 64};
  std::vector<int> streams;
  for (const Configuration& each : configurations_of(sweep)) streams.push_back(each.load.streams);
  CHECK(streams == std::vector<int>{1, 2, 4, 4, 4, 7, 16});
}
