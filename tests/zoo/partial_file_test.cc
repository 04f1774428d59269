#include "zoo/partial_file.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "formats/error.h"
#include "tests/process.h"
#include "tests/text_files.h"

namespace fs = std::filesystem;
using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

constexpr const char* kUrl = "https://example.org/x";
constexpr uint64_t kSize = 2 * 1024 * 1024 + 100;

std::vector<std::byte> made_block(uint8_t value, size_t size = kBlock) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

// Leaves blocks 0 and 32 (the short last one) of a file behind.
void begin(const fs::path& path) {
  PartialFile file(path, kUrl);
  file.restart(kSize);
  file.set_etag("\"v1\"");
  for (const auto& [index, bytes] : {std::pair(uint64_t{0}, made_block(1)), {32, made_block(2, 100)}}) {
    file.write(index * kBlock, bytes);
    file.journal_block(index, digest_of_block(bytes));
  }
}

}  // namespace

TEST_CASE("an unfinished download is gone on with") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.incomplete";
  begin(path);
  CHECK(fs::file_size(path) == kSize);
  for (const auto& size : {std::optional(kSize), std::optional<uint64_t>()}) {
    PartialFile file(path, kUrl);
    REQUIRE(file.resume(size));
    CHECK(file.size() == kSize);
    CHECK(file.etag() == "\"v1\"");
    REQUIRE(file.claims().size() == 33);
    CHECK(file.claims()[0] == digest_of_block(made_block(1)));
    CHECK_FALSE(file.claims()[1]);
    CHECK(file.claims()[32] == digest_of_block(made_block(2, 100)));
  }
  CHECK_FALSE(PartialFile(path, kUrl).resume(kSize + 1));
  CHECK_FALSE(PartialFile(path, "https://example.org/y").resume(kSize));
  CHECK_FALSE(PartialFile(folder.path() / "y", kUrl).resume(kSize));
}

TEST_CASE("a journal is believed up to its first bad line and goes on there") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.incomplete";
  begin(path);
  const fs::path journal = path.string() + ".journal";
  const std::string good = read_text(journal);
  const std::string line = "5 " + std::string(64, 'a');
  for (const std::string& bad :
       {line, line + "a\n", std::string("5\n"), std::string("33 ") + std::string(64, 'a') + "\n",
        std::string("-1 ") + std::string(64, 'a') + "\n", "5  " + std::string(63, 'a') + "\n",
        std::string(100000, 'x') + "\n", std::string("\0\0\0\n", 4), std::string("\n")}) {
    INFO(bad.substr(0, 80));
    write_text(journal, good + bad);
    {
      PartialFile file(path, kUrl);
      REQUIRE(file.resume(kSize));
      CHECK(file.claims()[0]);
      CHECK_FALSE(file.claims()[5]);
      CHECK(read_text(journal) == good);
      file.journal_block(6, BlockDigest{});
    }
    PartialFile file(path, kUrl);
    REQUIRE(file.resume(kSize));
    CHECK(file.claims()[6]);
  }
  for (size_t length = 0; length < good.size(); ++length) {
    write_text(journal, good.substr(0, length));
    PartialFile file(path, kUrl);
    const size_t head = good.find("etag");
    CHECK(file.resume(kSize) == (length >= head));
    write_text(path, "");  // shorter than it was: the blocks will not have their digests
  }
}

TEST_CASE("a journal of an impossible size is not believed") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.incomplete";
  write_text(path, "x");
  for (const char* size : {"18446744073709551615", "99999999999999999999", "-1", "", "1e9"}) {
    write_text(path.string() + ".journal",
               std::string("swinzoo download 1\nurl ") + kUrl + "\nsize " + size + "\n");
    CHECK_FALSE(PartialFile(path, kUrl).resume(std::nullopt));
  }
}

TEST_CASE("nothing of use leaves nothing behind") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.incomplete";
  const std::optional<uint64_t> size =
      GENERATE(std::optional<uint64_t>(), std::optional<uint64_t>(1000), std::optional(kSize));
  PartialFile(path, kUrl).restart(size);
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("another program's first bytes are taken over") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.incomplete";
  const fs::path earlier = folder.path() / "theirs";
  const size_t length = kBlock * 2 + 7;
  write_text(earlier, std::string(length, '\3'));
  {
    PartialFile file(path, kUrl);
    CHECK(file.take_over(earlier, length - 1, {}) == 0);
    CHECK(fs::exists(earlier));
    CHECK(file.take_over(earlier, kSize, {}) == length);
    CHECK_FALSE(fs::exists(earlier));
    CHECK(file.take_over(earlier, kSize, {}) == 0);
  }
  PartialFile file(path, kUrl);
  REQUIRE(file.resume(kSize));
  CHECK(file.claims()[1] == digest_of_block(made_block(3)));
  CHECK_FALSE(file.claims()[2]);
  CHECK(fs::file_size(path) == kSize);
}
