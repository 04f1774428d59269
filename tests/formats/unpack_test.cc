#include "formats/unpack.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "formats/sha256.h"
#include "tests/error_code.h"
#include "tests/made_tar.h"
#include "tests/process.h"
#include "tests/text_files.h"

using namespace swinzoo;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  TemporaryFolder folder;
  fs::path archive = folder.path() / "model.tar.gz";
  fs::path target = folder.path() / "unpacked";

  std::vector<UnpackedFile> unpack(const std::string& bytes, const UnpackHooks& hooks = {}) const {
    std::ofstream(archive, std::ios::binary) << bytes;
    return unpack_tar(archive, target, hooks);
  }
  // What is in the folder but the archive.
  bool is_clean() const {
    return std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1;
  }
};

std::string noise(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& c : bytes) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

}  // namespace

TEST_CASE("an archive unpacks into its files") {
  const std::string weights = noise(3 << 20);
  for (const bool gzip : {false, true}) {
    const Fixture made;
    uint64_t last = 0, total = 0;
    UnpackHooks hooks;
    hooks.progress = [&](uint64_t done, uint64_t all) {
      CHECK(done >= last);
      last = done;
      total = all;
    };
    const auto files = made.unpack(make_tar({{"./", "", 'd'},
                                             {"./saved_model.pb", "graph"},
                                             {"assets/", "", 'd'},
                                             {"./variables//data", weights},
                                             {"empty", ""}},
                                            gzip),
                                   hooks);
    REQUIRE(files.size() == 3);
    CHECK(files[0].name == "saved_model.pb");
    CHECK(files[0].size == 5);
    CHECK(files[0].sha256 == sha256_of("graph"));
    CHECK(files[1].name == "variables/data");
    CHECK(files[1].sha256 == sha256_of(weights));
    CHECK(files[2].name == "empty");
    CHECK(read_text(made.target / "saved_model.pb") == "graph");
    CHECK(read_text(made.target / "variables" / "data") == weights);
    CHECK(fs::is_directory(made.target / "assets"));
    CHECK(fs::is_empty(made.target / "empty"));
    CHECK_FALSE(fs::exists(made.target.string() + ".tmp"));
    CHECK(total == fs::file_size(made.archive));
    CHECK(last > 0);
  }
}

TEST_CASE("what an earlier run left is no part of the result") {
  const Fixture made;
  fs::create_directories(made.target.string() + ".tmp/old");
  CHECK(made.unpack(make_tar({{"a", "b"}}, true)).size() == 1);
  CHECK_FALSE(fs::exists(made.target / "old"));
}

TEST_CASE("hostile members are refused, and nothing is left") {
  const std::vector<std::vector<Member>> hostile = {
      {{"/tmp/swinzoo_evil", "x"}},
      {{"../evil", "x"}},
      {{"a/../../evil", "x"}},
      {{"..", "", 'd'}},
      {{"link", "/etc", 's'}},
      {{"link", "../..", 's'}, {"link/evil", "x"}},
      {{"link", "saved_model.pb", 's'}},
      {{"hard", "saved_model.pb", 'h'}},
      {{"hard", "/etc/passwd", 'h'}},
      {{"device", "", 'c'}},
      {{"pipe", "", 'p'}},
      {{"twice", "a"}, {"twice", "b"}},
      {{"twice", "a"}, {"./twice", "b"}},
      {{"file", "a"}, {"file/below", "b"}},
      {{"folder/below", "a"}, {"folder", "b"}},
      {{"file", "a"}, {"file", "", 'd'}},
      {{"escape\x1b[2J", "a"}},
      {{"new\nline", "a"}},
      {{std::string(300, 'n'), "a"}},
  };
  for (std::vector<Member> members : hostile) {
    const Fixture made;
    members.insert(members.begin(), {"saved_model.pb", "graph"});
    INFO(members.back().path);
    CHECK(code_of([&] { made.unpack(make_tar(members, true)); }) == ErrorCode::kCorrupt);
    CHECK(made.is_clean());
  }
  CHECK_FALSE(fs::exists("/tmp/swinzoo_evil"));

  std::vector<Member> many(10'001);
  for (size_t i = 0; i < many.size(); ++i) many[i] = {fmt::format("f{}", i), "", 'd'};  // files are synced
  const Fixture made;
  CHECK(code_of([&] { made.unpack(make_tar(many, true)); }) == ErrorCode::kCorrupt);
  CHECK(made.is_clean());
}

TEST_CASE("an archive that expands out of proportion is refused") {
  const Fixture made;
  const std::string zeros(size_t{35} << 20, '\0');
  CHECK(made.unpack(make_tar({{"one", zeros}}, true)).size() == 1);
  fs::remove_all(made.target);
  CHECK(code_of([&] {
          made.unpack(make_tar({{"one", zeros}, {"two", zeros}}, true));
        }) == ErrorCode::kCorrupt);
  CHECK(made.is_clean());
}

TEST_CASE("a truncated or damaged archive is refused, wherever it is cut") {
  const std::string good = make_tar({{"saved_model.pb", "graph"}, {"variables/data", noise(5000)}}, true);
  for (size_t length = 0; length < good.size(); ++length) {
    if (length > 200 && length + 200 < good.size() && length % 97 != 0) continue;
    const Fixture made;
    INFO(length << " of " << good.size());
    CHECK(code_of([&] { made.unpack(good.substr(0, length)); }) == ErrorCode::kCorrupt);
    CHECK(made.is_clean());
  }
  for (size_t at = 12; at < good.size(); at += 61) {
    const Fixture made;
    std::string flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    INFO(at);
    CHECK(code_of([&] { made.unpack(flipped); }) == ErrorCode::kCorrupt);
    CHECK(made.is_clean());
  }
  std::string flipped = good;  // the checksum alone
  flipped[good.size() - 8] = static_cast<char>(flipped[good.size() - 8] ^ 1);
  const Fixture made;
  CHECK(code_of([&] { made.unpack(flipped); }) == ErrorCode::kCorrupt);
  CHECK(made.is_clean());
}

TEST_CASE("unpacking can be interrupted") {
  const Fixture made;
  UnpackHooks hooks;
  hooks.cancelled = [] { return true; };
  CHECK(code_of([&] { made.unpack(make_tar({{"a", "b"}}, true), hooks); }) == ErrorCode::kInterrupted);
  CHECK(made.is_clean());
}
