#include "formats/hdf5_listing.h"

#include <array>
#include <catch2/catch.hpp>

#include "tests/error_code.h"

using namespace swinzoo;

namespace {

constexpr std::array<std::byte, 64> kFile = {};

// What a child tells of these data sets.
Hdf5Contents contents_of(const std::string& data_sets, const std::string& attributes = "",
                         const std::string& not_followed = "") {
  return hdf5_contents(R"({"data_sets": [)" + data_sets + R"(], "attributes": [)" + attributes +
                           R"(], "not_followed": [)" + not_followed + "]}",
                       kFile, {});
}

std::string data_set(const std::string& path, const std::string& place = R"("offset": 0)") {
  return R"({"path": ")" + path + R"(", "dtype": "F32", "shape": [2, 3], "address": 96, )" + place + "}";
}

}  // namespace

TEST_CASE("data sets that a child lists are tensors of the file") {
  const Hdf5Contents contents =
      contents_of(data_set("/a") + "," + data_set("/b/c", R"("stored": 64)"), "", R"("/link")");
  REQUIRE(contents.tensors.size() == 2);
  CHECK(contents.tensors[0].name == "a");
  CHECK(contents.data_sets[0].offset == 0);
  CHECK(contents.tensors[1].name == "b/c");
  CHECK_FALSE(contents.data_sets[1].offset);
  CHECK(contents.metadata.at("left_out") == "link");
}

TEST_CASE("a child that lists data sets outside the file is not believed") {
  for (const char* place : {R"("offset": 41)", R"("offset": -1)", R"("offset": 18446744073709551615)",
                            R"("stored": 65)", R"("stored": -1)", R"("stored": "64")", R"("nothing": 0)"}) {
    INFO(place);
    CHECK(code_of([&] { contents_of(data_set("/a", place)); }) == ErrorCode::kCorrupt);
  }
}

TEST_CASE("a child that lists a path twice or none is not believed") {
  CHECK(code_of([] { contents_of(data_set("/a") + "," + data_set("/a")); }) == ErrorCode::kCorrupt);
  for (const char* path : {"", "/", "a"}) {
    INFO("'" << path << "'");
    CHECK(code_of([&] { contents_of(data_set(path)); }) == ErrorCode::kCorrupt);
    CHECK(code_of([&] { contents_of("", "", '"' + std::string(path) + '"'); }) == ErrorCode::kCorrupt);
  }
}

TEST_CASE("a child's errors are of the file and nothing else is taken for a listing") {
  const auto told = [](const char* text) { hdf5_contents(text, kFile, {}); };
  CHECK(code_of([&] { told(R"({"error": "no", "code": 99})"); }) == ErrorCode::kCorrupt);
  CHECK(code_of([&] { told(R"({"error": "no"})"); }) == ErrorCode::kCorrupt);
  const std::string unsupported = std::to_string(static_cast<int>(ErrorCode::kUnsupported));
  CHECK(code_of([&] { told((R"({"error": "no", "code": )" + unsupported + "}").c_str()); }) ==
        ErrorCode::kUnsupported);
  for (const char* text : {"", "{}", "[]", R"({"data_sets": [], "attributes": []})", "{\"error\": 7}"}) {
    CHECK(code_of([&] { told(text); }) == ErrorCode::kCorrupt);
  }
}
