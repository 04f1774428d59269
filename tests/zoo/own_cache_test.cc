#include "zoo/own_cache.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "formats/sha256.h"
#include "tests/environment.h"
#include "tests/process.h"
#include "tests/text_files.h"

namespace fs = std::filesystem;
using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

OwnFile file_of(const std::string& name, const std::string& bytes) {
  return {name, bytes.size(), sha256_hex(std::as_bytes(std::span(bytes)))};
}

}  // namespace

TEST_CASE("an entry's folder has a name for people and a digest of the source") {
  const EnvironmentVariable cache("XDG_CACHE_HOME", "/cache");
  const OwnCacheEntry handle("tfhub:sayakpaul/swin_tiny/1");
  CHECK_THAT(handle.key(), Catch::Matches("tfhub--sayakpaul--swin_tiny--1-[0-9a-f]{16}"));
  CHECK(handle.folder() == fs::path("/cache/swinzoo/sources") / handle.key());
  CHECK(handle.lock_file() == fs::path("/cache/swinzoo/locks") / (handle.key() + ".lock"));
  const OwnCacheEntry url("https://me:secret@example.org:8443/a/b/model.pth?key=secret");
  CHECK_THAT(url.key(), Catch::Matches("example.org--8443--model.pth-[0-9a-f]{16}"));
  CHECK(url.key() != OwnCacheEntry("https://me:secret@example.org:8443/a/b/model.pth?key=other").key());
  CHECK(OwnCacheEntry("https://example.org/" + std::string(3000, 'x')).key().size() < 200);
}

TEST_CASE("an entry is present when its record and all its files are there") {
  const TemporaryFolder folder;
  const EnvironmentVariable cache("XDG_CACHE_HOME", folder.path().string());
  const OwnCacheEntry entry("tfhub:a/b/1");
  CHECK(OwnCacheEntry::all().empty());
  CHECK_FALSE(entry.find());
  const OwnRecord record{
      "tfhub:a/b/1",
      "https://example.org/b.tar.gz",
      "\"e\"",
      "2026-11-21T16:50:00Z",
      file_of("b.tar.gz", "archive"),
      {file_of("unpacked/saved_model.pb", "graph"), file_of("unpacked/v/data", "weights")}};
  write_text(entry.folder() / "b.tar.gz", "archive");
  write_text(entry.folder() / "unpacked/saved_model.pb", "graph");
  CHECK_FALSE(entry.read_record());
  entry.write_record(record);
  CHECK_THAT(read_text(own_cache_root() / "CACHEDIR.TAG"),
             Catch::StartsWith("Signature: 8a477f597d28d172789f06886806bc55\n"));
  CHECK_FALSE(entry.find());
  CHECK(entry.damaged(record.unpacked, {}) == std::vector<std::string>{"unpacked/v/data"});
  write_text(entry.folder() / "unpacked/v/data", "WEIGHTS");
  const auto found = entry.find();
  REQUIRE(found);
  CHECK(found->source == record.source);
  CHECK(found->url == record.url);
  CHECK(found->etag == record.etag);
  CHECK(found->fetched == record.fetched);
  CHECK(found->file.name == "b.tar.gz");
  CHECK(found->file.size == 7);
  CHECK(found->file.sha256 == record.file.sha256);
  REQUIRE(found->unpacked.size() == 2);
  CHECK(found->unpacked[1].name == "unpacked/v/data");
  CHECK(entry.damaged(found->unpacked, {}) == std::vector<std::string>{"unpacked/v/data"});
  CHECK(entry.damaged({found->file}, {}).empty());

  REQUIRE(OwnCacheEntry::all().size() == 1);
  CHECK(OwnCacheEntry::all()[0].key() == entry.key());
  entry.remove();
  CHECK_FALSE(fs::exists(entry.folder()));
  CHECK(OwnCacheEntry::all().empty());
}

TEST_CASE("a record that can not be right counts as none") {
  const TemporaryFolder folder;
  const EnvironmentVariable cache("XDG_CACHE_HOME", folder.path().string());
  const OwnCacheEntry entry("tfhub:a/b/1");
  const std::string sha256(64, 'a');
  const auto with_file = [&](const std::string& name, const std::string& digest) {
    return R"({"schema": 1, "file": {"name": ")" + name + R"(", "size": 1, "sha256": ")" + digest + "\"}}";
  };
  write_text(entry.folder() / "record.json", with_file("x", sha256));
  CHECK(entry.read_record());
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string(R"({"schema": 1})"),
        R"({"schema": 2, "file": {"name": "x", "size": 1, "sha256": ")" + sha256 + "\"}}",
        with_file("../x", sha256), with_file("/etc/passwd", sha256), with_file("", sha256),
        with_file("x", "12")}) {
    INFO(text);
    write_text(entry.folder() / "record.json", text);
    CHECK_FALSE(entry.read_record());
  }
}
