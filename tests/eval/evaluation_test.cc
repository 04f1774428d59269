#include "eval/evaluation.h"

#include <catch2/catch.hpp>

#include "formats/error.h"
#include "tests/error_code.h"

using namespace swinzoo;
using namespace swinzoo::eval;

TEST_CASE("shards lie side by side and are as long as each other, or one longer") {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{7}, size_t{50'000}}) {
    for (const int64_t count : {1, 2, 3, 7, 11}) {
      size_t next = 0;
      for (int64_t index = 1; index <= count; ++index) {
        const auto [begin, end] = Shard{index, count}.range(size);
        CHECK(begin == next);
        const size_t least = size / static_cast<size_t>(count);
        CHECK((end - begin == least || end - begin == least + 1));
        next = end;
      }
      CHECK(next == size);
    }
  }
  CHECK(Shard::parse("2/3").index == 2);
  CHECK(Shard::parse("2/3").text() == "2/3");
  CHECK(Shard{}.text().empty());
  for (const char* text : {"", "/", "1", "0/1", "2/1", "a/2", "1/b", "-1/2", "1/2/3", "1/99999999999"}) {
    INFO(text);
    CHECK(code_of([&] { Shard::parse(text); }) == ErrorCode::kUsage);
  }
}

TEST_CASE("the samples' digest tells paths, classes and order apart") {
  EvalSample a;
  a.path = "a";
  a.set_right_classes({1});
  EvalSample b = a;
  b.path = "b";
  EvalSample a2 = a;
  a2.set_right_classes({1, 2});
  const std::string digest = samples_digest(std::vector{a, b}, {});
  CHECK(digest == samples_digest(std::vector{a, b}, {}));
  CHECK(digest != samples_digest(std::vector{b, a}, {}));
  CHECK(digest != samples_digest(std::vector{a2, b}, {}));
  CHECK(digest != samples_digest(std::vector{a, b}, std::vector<int64_t>{1}));
  a.top5 = {3};
  CHECK(digest == samples_digest(std::vector{a, b}, {}));
}
