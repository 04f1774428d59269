#include "formats/saved_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/environment.h"
#include "tests/error_code.h"
#include "tests/formats/tensorflow_files.h"
#include "tests/process.h"
#include "tests/text_files.h"

using namespace swinzoo;
namespace fs = std::filesystem;

namespace {

void write_folder(const fs::path& folder, const std::vector<Member>& members) {
  for (const Member& member : members) {
    if (member.type == 'f') write_text(folder / member.path, member.bytes);
  }
}

std::unique_ptr<Checkpoint> open_tar(const std::vector<Member>& members, bool gzip = true) {
  return open_saved_model_archive(file_of(make_tar(members, gzip)));
}

std::optional<ErrorCode> code_of_tar(const std::vector<Member>& members) {
  return code_of([&] { open_tar(members); });
}

void check_is_whole(const Checkpoint& checkpoint) {
  Tensor scratch;
  CHECK(checkpoint.format() == "saved_model");
  REQUIRE(checkpoint.tensors().size() == 6);
  CHECK(checkpoint.find("layers/10/kernel") >= 0);
  for (size_t i = 0; i < checkpoint.tensors().size(); ++i) checkpoint.read(i, scratch);
  CHECK(checkpoint.metadata() ==
        std::map<std::string, std::string>{{"signature.input_shape", "[-1, 224, 224, 3]"},
                                           {"signature.output_shape", "[-1, 10]"},
                                           {"tensorflow_version", "2.15.1"}});
}

std::vector<Member> members_with(const Member& extra) {
  std::vector<Member> members = saved_model_members(swin_like_bundle());
  members.insert(members.begin() + 1, extra);
  return members;
}

}  // namespace

TEST_CASE("a SavedModel opens as a folder, a tar and a tar.gz") {
  const TemporaryFolder folder;
  for (const int shards : {1, 2}) {
    const std::vector<Member> members = saved_model_members(swin_like_bundle(shards));
    const fs::path model = folder.path() / std::to_string(shards);
    write_folder(model, members);
    check_is_whole(*open_checkpoint(model));
    for (const bool gzip : {false, true}) {
      const fs::path file = folder.path() / "model";
      write_text(file, make_tar(members, gzip));
      check_is_whole(*open_checkpoint(file));
    }
  }
}

TEST_CASE("members may stand in any order, and start with a dot") {
  std::vector<Member> members = saved_model_members(swin_like_bundle(2));
  std::mt19937 random(3);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(members.begin(), members.end(), random);
    check_is_whole(*open_tar(members));
  }
  for (Member& member : members) member.path.insert(0, "./");
  check_is_whole(*open_tar(members));
}

TEST_CASE("an incomplete SavedModel says what is missing") {
  const TemporaryFolder folder;
  const std::vector<Member> members = saved_model_members(swin_like_bundle(2));
  CHECK(code_of([&] { open_checkpoint(folder.path()); }) == ErrorCode::kUnsupported);
  write_text(folder.path() / "saved_model.pb", members[2].bytes);
  CHECK_THROWS_WITH(open_checkpoint(folder.path()),
                    Catch::Contains("variables/variables.index is not there"));
  write_text(folder.path() / members[4].path, members[4].bytes);
  write_text(folder.path() / members[5].path, members[5].bytes);
  CHECK_THROWS_WITH(open_checkpoint(folder.path()),
                    Catch::Contains("variables/variables.data-00001-of-00002 is not there"));
  CHECK(code_of([&] { open_checkpoint(folder.path()); }) == ErrorCode::kNotFound);

  for (size_t i : {2, 4, 5, 6}) {
    std::vector<Member> fewer = members;
    fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
    CHECK(code_of_tar(fewer) == (i == 2 ? ErrorCode::kUnsupported : ErrorCode::kCorrupt));
  }
  CHECK(code_of_tar({}) == ErrorCode::kUnsupported);
  write_text(folder.path() / "text.tar.gz", "\x1f\x8b\x08 but no more");
  CHECK_THROWS_WITH(open_checkpoint(folder.path() / "text.tar.gz"),
                    Catch::Contains("text.tar.gz: SavedModel archive"));
}

TEST_CASE("members that could be written elsewhere are refused, and nothing is written") {
  const TemporaryFolder folder;
  const EnvironmentVariable tmpdir("TMPDIR", folder.path().string());
  for (const Member& member :
       std::vector<Member>{{"../evil", "x"},
                           {"variables/../../evil", "x"},
                           {"/tmp/evil", "x"},
                           {"..", "", 'd'},
                           {"variables/link", "/etc/passwd", 's'},
                           {"variables/variables.data-00000-of-00009", "/dev/zero", 's'},
                           {"hard", "saved_model.pb", 'h'},
                           {"device", "", 'c'}}) {
    INFO(member.path << " " << member.type);
    CHECK(code_of_tar(members_with(member)) == ErrorCode::kCorrupt);
  }
  check_is_whole(*open_tar(members_with({"assets/vocabulary.txt", "any"})));
  check_is_whole(*open_tar(members_with({"variables/checkpoint", "any"})));
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("members that stand twice are refused") {
  const std::vector<Member> members = saved_model_members(swin_like_bundle());
  for (size_t i : {2, 4, 5}) CHECK(code_of_tar(members_with(members[i])) == ErrorCode::kCorrupt);
}

TEST_CASE("archives that expand out of proportion are refused") {
  const std::string zeros(size_t{20} << 20, '\0');
  CHECK(code_of_tar(members_with({"variables/variables.data-00007-of-00009", zeros})) == ErrorCode::kCorrupt);
  // What is stepped over may compress well: a video model's masks do.
  check_is_whole(*open_tar(members_with({"assets/zeros", zeros})));

  // A tar header that claims 8 GiB - 1, in octal, under a right checksum.
  std::string tar = make_tar({{"assets/claims", "x"}}, false);
  tar.replace(124, 12, "77777777777 ");
  tar.replace(148, 8, "        ");
  unsigned sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(tar[i]);
  tar.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  CHECK_THROWS_WITH(open_saved_model_archive(file_of(tar)), Catch::Contains("expand to more than"));
}

TEST_CASE("nothing can be unpacked where there is no folder for it") {
  const EnvironmentVariable tmpdir("TMPDIR", "/nowhere/at/all");
  CHECK_THROWS_WITH(open_tar(saved_model_members(swin_like_bundle())), Catch::Contains("TMPDIR"));
}

TEST_CASE("an archive cut at any length is refused, unless only its end mark is missing") {
  for (const bool gzip : {true, false}) {
    const std::string whole = make_tar(saved_model_members(swin_like_bundle()), gzip);
    // A tar grows by blocks; between their edges nothing new can happen.
    for (size_t length = 0; length < whole.size(); length += gzip ? 1 : 37) {
      INFO(gzip << " " << length << " of " << whole.size());
      try {
        check_is_whole(*open_saved_model_archive(file_of(whole.substr(0, length))));
        CHECK(length + 1536 > whole.size());
      } catch (const Error& error) {
        CHECK((error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported));
      }
    }
  }
}

TEST_CASE("archives with damaged bytes give an error or the same tensors") {
  const std::string whole = make_tar(saved_model_members(swin_like_bundle()), true);
  std::mt19937 random(9);
  for (int round = 0; round < 1500; ++round) {
    std::string damaged = whole;
    damaged[random() % whole.size()] = static_cast<char>(random());
    INFO(round);
    try {
      const auto checkpoint = open_saved_model_archive(file_of(damaged));
      Tensor scratch;
      for (size_t i = 0; i < checkpoint->tensors().size(); ++i) checkpoint->read(i, scratch);
      CHECK(checkpoint->tensors().size() == 6);
    } catch (const Error& error) {
      CHECK((error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported));
    }
  }
}

TEST_CASE("a graph of any length cut or damaged gives an error or other facts") {
  const std::string graph = make_saved_model_pb({-1, 3, 32, 224, 224}, {-1, 128}, 50);
  std::vector<Member> members = saved_model_members(swin_like_bundle());
  for (size_t length = 0; length < graph.size(); ++length) {
    members[2].bytes = graph.substr(0, length);
    INFO(length);
    CHECK(code_of([&] { open_tar(members, false); }) == ErrorCode::kCorrupt);
  }
  std::mt19937 random(13);
  for (int round = 0; round < 2000; ++round) {
    members[2].bytes = graph;
    members[2].bytes[random() % graph.size()] = static_cast<char>(random());
    const auto code = code_of([&] { open_tar(members, false); });
    CHECK((!code || code == ErrorCode::kCorrupt || code == ErrorCode::kUnsupported));
  }
}

TEST_CASE("graphs that nest deeply or claim huge parts are refused") {
  const auto code_of_graph = [](const std::string& graph) {
    std::vector<Member> members = saved_model_members(swin_like_bundle());
    members[2].bytes = graph;
    return code_of([&] { open_tar(members); });
  };
  CHECK(code_of_graph(std::string(100'000, '\x7b')) == ErrorCode::kCorrupt);
  CHECK(code_of_graph(proto_bytes(2, std::string(100'000, '\x7b'))) == ErrorCode::kCorrupt);
  CHECK(code_of_graph(proto_bytes(2, proto_bytes(5, std::string(100'000, '\x7b')))) == ErrorCode::kCorrupt);
  CHECK(code_of_graph(varint(2 << 3 | 2) + varint(UINT64_MAX)) == ErrorCode::kCorrupt);
  CHECK(code_of_graph(varint(2 << 3 | 2) + varint(1 << 30) + "\x0a") == ErrorCode::kCorrupt);
  CHECK(code_of_graph(proto_bytes(2, proto_bytes(1, std::string(5 << 20, '\0')))) == ErrorCode::kUnsupported);
  CHECK(code_of_graph("") == ErrorCode::kCorrupt);
  // A graph that does not serve says nothing of shapes.
  CHECK_FALSE(code_of_graph(proto_bytes(2, proto_bytes(1, proto_bytes(4, "train")))));
}
