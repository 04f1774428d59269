#include "formats/tar.h"

#include "formats/mapped_file.h"
#include "tests/formats/bad_files.h"
#include "tests/raw_tar.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

// "name:bytes" of each member.
std::vector<std::string> members_of(const std::filesystem::path& path) {
  const MappedFile file(path);
  std::vector<std::string> members;
  for (const TarMember& member : list_tar(file)) {
    const auto* text = reinterpret_cast<const char*>(member.bytes.data());
    members.push_back(member.name + ":" + std::string(text, text + member.bytes.size()));
    if (!member.bytes.empty()) {
      CHECK(member.bytes.data() >= file.bytes().data());
      CHECK(member.bytes.data() + member.bytes.size() <= file.bytes().data() + file.bytes().size());
    }
  }
  return members;
}

Refusal tar_refusal(const std::filesystem::path& path) {
  return refusal_from([&] { members_of(path); });
}

}  // namespace

TEST_CASE("a tar's files are found where they stand") {
  OneFile file("a.tar");
  const std::string long_bytes(1000, 'x');
  const std::string folder = tar_member("./val/", "", '5');
  const std::string tar =
      folder + made_tar({{"./val/b.jpg", "bytes of b"}, {"val/a.jpg", long_bytes}, {"val/empty.jpg", ""}});
  CHECK(members_of(file.write(tar)) ==
        std::vector<std::string>{"val/b.jpg:bytes of b", "val/a.jpg:" + long_bytes, "val/empty.jpg:"});
  CHECK(members_of(file.write(std::string(1024, '\0'))).empty());
}

TEST_CASE("a tar that is cut anywhere is refused") {
  OneFile file("a.tar");
  const std::string tar = made_tar({{"a.jpg", "1234567890"}, {"b.jpg", std::string(600, 'b')}});
  // The second block of zeros is padding.
  for (size_t length = 0; length < tar.size() - 512; length += 64) {
    const Refusal refusal = tar_refusal(file.write(tar.substr(0, length)));
    INFO(length << ": " << refusal.message);
    CHECK(refusal.code == ErrorCode::kCorrupt);
    CHECK_THAT(refusal.message, Contains("a.tar"));
  }
  CHECK(tar_refusal(file.write(tar.substr(0, tar.size() - 512))).code == ErrorCode{0});
}

TEST_CASE("what a tar of images has no use for is refused") {
  OneFile file("a.tar");
  const std::string end(1024, '\0');
  CHECK_THAT(tar_refusal(file.write(tar_member("a.jpg", "", '2') + end)).message,
             Contains("'a.jpg' is a link"));
  CHECK_THAT(tar_refusal(file.write(made_tar({{"a.jpg", "1"}, {"./a.jpg", "2"}}))).message,
             Contains("twice"));
  CHECK(tar_refusal(file.write("no tar at all, but a text")).code == ErrorCode::kCorrupt);
  const Refusal gzip = tar_refusal(file.write("\x1f\x8b\x08 and so on"));
  CHECK(gzip.code == ErrorCode::kUnsupported);
  CHECK_THAT(gzip.message, Contains("gunzip"));
}
