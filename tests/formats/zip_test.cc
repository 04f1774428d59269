#include "formats/zip.h"

#include "formats/mapped_file.h"
#include "tests/formats/bad_files.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The error that opening the archive, and reading all of it, gives.
Refusal refusal(const std::string& archive) {
  try {
    const ZipArchive zip(bytes_of(archive));
    for (const ZipEntry& entry : zip.entries()) {
      if (!entry.deflated) zip.view(entry);
      zip.read(entry, 1 << 20);
    }
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

std::string archive_of(const ZipMaker::Entry& entry) { return ZipMaker().add(entry).finish(); }

}  // namespace

TEST_CASE("a zip archive gives its entries: stored, deflated, empty, and odd names as names") {
  const std::string text(100'000, 'x');
  const std::string archive = ZipMaker()
                                  .add(ZipMaker::stored("a/plain", "hello"))
                                  .add(ZipMaker::deflated("a/small", text))
                                  .add(ZipMaker::stored("empty/", ""))
                                  .add(ZipMaker::stored("../../etc/passwd", "just a name"))
                                  .add(ZipMaker::stored("/absolute", "just a name"))
                                  .finish();
  const ZipArchive zip(bytes_of(archive));
  REQUIRE(zip.entries().size() == 5);
  CHECK(text_of(zip.view(*zip.find("a/plain"))) == "hello");
  CHECK(text_of(zip.read(*zip.find("a/small"), 100'000)) == text);
  CHECK(zip.find("a/small")->stored_size < 1000);
  CHECK(zip.read(*zip.find("empty/"), 0).empty());
  CHECK(text_of(zip.view(*zip.find("../../etc/passwd"))) == "just a name");
  CHECK(zip.find("a") == nullptr);
}

TEST_CASE("a zip entry is read by parts, and no further than its size") {
  const std::string archive = archive_of(ZipMaker::deflated("a", "0123456789"));
  const ZipArchive zip(bytes_of(archive));
  std::string head(3, ' '), body(7, ' ');
  const auto part = [](std::string& text) { return std::as_writable_bytes(std::span(text)); };
  zip.read(zip.entries()[0], {part(head), part(body)});
  CHECK(head == "012");
  CHECK(body == "3456789");
  zip.read(zip.entries()[0], {part(head)});
  CHECK(head == "012");
  CHECK_THROWS_WITH(zip.read(zip.entries()[0], {part(head), part(body), part(head)}),
                    Contains("holds 10 bytes where 13 are needed"));
  CHECK_THROWS_WITH(zip.read(zip.entries()[0], 9), Contains("at most 9 are expected"));
}

TEST_CASE("an empty zip archive has no entries; something else is no zip archive") {
  const std::string empty = ZipMaker().finish();
  CHECK(ZipArchive(bytes_of(empty)).entries().empty());
  CHECK(refusal("").code == ErrorCode::kCorrupt);
  CHECK(refusal(std::string(100'000, 'P')).code == ErrorCode::kCorrupt);
  CHECK(refusal(empty + "x").code == ErrorCode::kCorrupt);
}

TEST_CASE("a zip archive with zip64 records is read") {
  // torch.save always writes them.
  const std::string archive = read_text(made_file("plain.pth"));
  CHECK(archive.find("PK\6\6") != std::string::npos);
  CHECK(refusal(archive).message.empty());
}

TEST_CASE("bad zip archives are refused by what is wrong") {
  const auto good = ZipMaker::stored("entry", "hello");
  SECTION("duplicate name") {
    const auto found = refusal(ZipMaker().add(good).add(good).finish());
    CHECK(found.code == ErrorCode::kCorrupt);
    CHECK_THAT(found.message, Contains("entry entry: stands twice"));
  }
  SECTION("encrypted") {
    auto entry = good;
    entry.flags = 1;
    CHECK(refusal(archive_of(entry)).code == ErrorCode::kUnsupported);
    CHECK_THAT(refusal(archive_of(entry)).message, Contains("is encrypted"));
  }
  SECTION("unknown method") {
    auto entry = good;
    entry.method = 93;
    CHECK(refusal(archive_of(entry)).code == ErrorCode::kUnsupported);
    CHECK_THAT(refusal(archive_of(entry)).message, Contains("compression method 93"));
  }
  SECTION("wrong CRC, stored and deflated") {
    auto entry = good;
    entry.bytes[0] = 'j';
    CHECK_THAT(refusal(archive_of(entry)).message, Contains("CRC-32"));
    entry = ZipMaker::deflated("entry", "hello");
    entry.crc ^= 1;
    CHECK_THAT(refusal(archive_of(entry)).message, Contains("CRC-32"));
  }
  SECTION("stored with two sizes") {
    auto entry = good;
    entry.size = 6;
    CHECK_THAT(refusal(archive_of(entry)).message, Contains("5 bytes are said to be 6"));
  }
  SECTION("deflated to more or less than it says") {
    auto entry = ZipMaker::deflated("entry", std::string(1000, 'x'));
    entry.size = 999;
    CHECK_THAT(refusal(archive_of(entry)).message, Contains("not as long as the directory says"));
    entry.size = 1001;
    CHECK_THAT(refusal(archive_of(entry)).message, Contains("end early"));
  }
  SECTION("a bomb: more than deflate can give") {
    auto entry = ZipMaker::deflated("entry", "hello");
    entry.size = 0xfffffff0;
    CHECK(refusal(archive_of(entry)).code == ErrorCode::kCorrupt);
    CHECK_THAT(refusal(archive_of(entry)).message, Contains("claims that"));
  }
  SECTION("a bomb: 65 MiB of zeros in 66 kB") {
    const auto entry = ZipMaker::deflated("entry", std::string(65 << 20, '\0'));
    CHECK(entry.bytes.size() < 100'000);
    CHECK_THAT(refusal(archive_of(entry)).message, Contains("claims that"));
  }
  SECTION("overlapping entries") {
    // The second entry of the directory has the first's local header.
    const std::string archive = ZipMaker().add(good).add_again(ZipMaker::stored("entrx", "hello")).finish();
    CHECK_THAT(refusal(archive).message, Contains("not where it should be"));
    // A local header inside the first entry's bytes.
    const std::string inner = ZipMaker().add(ZipMaker::stored("inner", "x")).finish();
    const auto outer = ZipMaker::stored("outer", inner.substr(0, 36));
    std::string both = ZipMaker().add(outer).add(ZipMaker::stored("inner", "x")).finish();
    const size_t record = both.rfind("PK\1\2");
    both[record + 42] = 35;  // the inner entry's offset: behind the outer's local header and name
    CHECK_THAT(refusal(both).message, Contains("overlap"));
  }
  SECTION("offsets and sizes out of range") {
    for (const size_t field : {20, 24, 42}) {
      std::string archive = archive_of(good);
      archive.replace(archive.rfind("PK\1\2") + field, 4, "\xff\xff\xff\x7f");
      CHECK(refusal(archive).code == ErrorCode::kCorrupt);
      archive.replace(archive.rfind("PK\1\2") + field, 4, "\xff\xff\xff\xff");  // zip64 without its field
      CHECK(refusal(archive).code == ErrorCode::kCorrupt);
    }
    for (const size_t field : {12, 16}) {
      std::string archive = archive_of(good);
      archive.replace(archive.rfind("PK\5\6") + field, 4, "\xff\xff\xff\xff");
      CHECK(refusal(archive).code == ErrorCode::kCorrupt);
    }
  }
  SECTION("several parts, and a count that is not the directory's") {
    std::string archive = archive_of(good);
    archive[archive.rfind("PK\5\6") + 4] = 1;
    CHECK(refusal(archive).code == ErrorCode::kUnsupported);
    archive = archive_of(good);
    archive[archive.rfind("PK\5\6") + 8] = 2;
    archive[archive.rfind("PK\5\6") + 10] = 2;
    CHECK_THAT(refusal(archive).message, Contains("1 entries, not 2"));
  }
}

TEST_CASE("every truncation of a zip archive is refused and every zip64 offset is checked") {
  const std::string archive = read_text(made_file("plain.pth"));
  for (size_t length = 0; length < archive.size(); ++length) {
    REQUIRE(refusal(archive.substr(0, length)).code == ErrorCode::kCorrupt);
  }
  const size_t record = archive.rfind("PK\6\6");
  for (const size_t field : {40, 48}) {
    std::string damaged = archive;
    damaged.replace(record + field, 8, 8, '\xff');
    CHECK(refusal(damaged).code == ErrorCode::kCorrupt);
  }
  std::string damaged = archive;
  damaged.replace(archive.rfind("PK\6\7") + 8, 8, 8, '\xff');
  CHECK(refusal(damaged).code == ErrorCode::kCorrupt);
}
