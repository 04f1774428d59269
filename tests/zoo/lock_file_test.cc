#include "zoo/lock_file.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "formats/sha256.h"
#include "tests/error_code.h"
#include "tests/process.h"
#include "zoo/download.h"

using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

std::string digest(char digit) { return std::string(64, digit); }

LockFile sample() {
  LockFile lock;
  lock.put({"x",
            "https://example.org/x.pth",
            "",
            "",
            {{"x.pth", "https://example.org/x.pth", 0, digest('0'), {}}}});
  lock.put(
      {"acme/mini",
       "hf:acme/mini",
       std::string(40, 'e'),
       "mit",
       {{"model.safetensors", "https://hub/m", kDigestBlock + 1, digest('b'), {digest('c'), digest('d')}},
        {"config.json", "https://hub/c", 3, digest('a'), {digest('a')}}}});
  return lock;
}

json::value document_of(const LockFile& lock) { return parse_json(to_text(lock), "lock"); }

std::optional<ErrorCode> refused(const json::value& document) {
  return code_of([&] { lock_file_from(document, "lock"); });
}

}  // namespace

TEST_CASE("a lock file is sorted and reads back") {
  const LockFile lock = sample();
  CHECK(lock.entries.at(0).entry == "acme/mini");
  const std::string text = to_text(lock);
  CHECK(text.back() == '\n');
  CHECK(text.find("config.json") < text.find("model.safetensors"));
  CHECK(text.find("\"blocks\"") == text.rfind("\"blocks\""));  // of the larger file alone
  const LockFile again = lock_file_from(document_of(lock), "lock");
  CHECK(to_text(again) == text);
  REQUIRE(again.find("acme/mini") != nullptr);
  CHECK(again.find("none") == nullptr);
  const LockedFile* weights = again.find("acme/mini")->find("model.safetensors");
  REQUIRE(weights != nullptr);
  CHECK(*weights == lock.entries.at(0).files.at(0));
  CHECK(again.find("acme/mini")->find("config.json")->blocks == std::vector<std::string>{digest('a')});
  CHECK(again.find("x")->files.at(0).blocks.empty());
}

TEST_CASE("putting an entry replaces the one of its name") {
  LockFile lock = sample();
  LockedEntry entry = lock.entries.at(0);
  entry.license = "apache-2.0";
  lock.put(entry);
  CHECK(lock.entries.size() == 2);
  CHECK(lock.find("acme/mini")->license == "apache-2.0");
}

TEST_CASE("a lock file that can not be is refused") {
  const json::value good = document_of(sample());
  REQUIRE(!refused(good));
  const auto with = [&](const std::function<void(json::object & top)>& change) {
    json::value document = good;
    change(document.as_object());
    return refused(document);
  };
  const auto with_entry = [&](const std::function<void(json::object & entry)>& change) {
    return with([&](json::object& top) { change(top["entries"].as_array().at(0).as_object()); });
  };
  const auto with_file = [&](size_t index, const std::function<void(json::object & file)>& change) {
    return with_entry([&](json::object& entry) { change(entry["files"].as_array().at(index).as_object()); });
  };
  constexpr auto kCorrupt = ErrorCode::kCorrupt;
  CHECK(with([](auto& top) { top["schema"] = 2; }) == kCorrupt);
  CHECK(with([](auto& top) { top["block_size"] = 1; }) == kCorrupt);
  CHECK(with([](auto& top) { top["more"] = 1; }) == kCorrupt);
  CHECK(with([](auto& top) { top.erase("entries"); }) == kCorrupt);
  CHECK(with([](auto& top) {
          json::array& entries = top["entries"].as_array();
          entries.push_back(json::value(entries.at(0)));
        }) == kCorrupt);
  CHECK(with_entry([](auto& entry) { entry["revision"] = "main"; }) == kCorrupt);
  CHECK(with_entry([](auto& entry) { entry.erase("license"); }) == kCorrupt);
  CHECK(with_entry([](auto& entry) { entry.erase("commit"); }) == kCorrupt);
  CHECK(with_entry([](auto& entry) { entry["commit"] = "main"; }) == kCorrupt);
  CHECK(with_entry([](auto& entry) { entry["source"] = "https://example.org/x.pth"; }) == kCorrupt);
  CHECK(with_entry([](auto& entry) { entry["files"].as_array().clear(); }) == kCorrupt);
  CHECK(with_entry([](auto& entry) {
          json::array& files = entry["files"].as_array();
          files.push_back(json::value(files.at(0)));
        }) == kCorrupt);
  for (const char* name : {"", "/etc/passwd", "../x", "a/../../x", "a//b", "."}) {
    INFO(name);
    CHECK(with_file(0, [&](auto& file) { file["name"] = name; }) == kCorrupt);
  }
  CHECK(with_file(0, [](auto& file) { file["size"] = -1; }) == kCorrupt);
  CHECK(with_file(0, [](auto& file) { file["size"] = "3"; }) == kCorrupt);
  CHECK(with_file(0, [](auto& file) { file["size"] = kDigestBlock + 1; }) == kCorrupt);
  CHECK(with_file(0, [](auto& file) { file["sha256"] = digest('A'); }) == kCorrupt);
  CHECK(with_file(0, [](auto& file) { file["sha256"] = "abc"; }) == kCorrupt);
  CHECK(with_file(0, [](auto& file) { file["blocks"] = json::array{digest('b')}; }) == kCorrupt);
  CHECK(with_file(1, [](auto& file) { file["size"] = 2 * kDigestBlock + 1; }) == kCorrupt);
  CHECK(with_file(1, [](auto& file) { file["blocks"].as_array().pop_back(); }) == kCorrupt);
  CHECK(with_file(1, [](auto& file) { file["blocks"].as_array().at(1) = digest('g'); }) == kCorrupt);
  CHECK(with_file(1, [](auto& file) { file["block"] = 1; }) == kCorrupt);
}

TEST_CASE("a file's blocks are digested as they are read") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "file";
  const auto sha256_of = [](const std::string& text) { return sha256_hex(std::as_bytes(std::span(text))); };
  const std::string block(kDigestBlock, 'x');
  for (const std::string& more : {std::string(), std::string("tail")}) {
    std::ofstream(path, std::ios::binary) << block << block << more;
    const LockedFile file = digest_for_lock(path, "name");
    CHECK(file.name == "name");
    CHECK(file.size == 2 * kDigestBlock + more.size());
    CHECK(file.sha256 == sha256_of(block + block + more));
    std::vector<std::string> expected = {sha256_of(block), sha256_of(block)};
    if (!more.empty()) expected.push_back(sha256_of(more));
    CHECK(file.blocks == expected);
  }
  std::ofstream(path, std::ios::trunc | std::ios::binary).flush();
  CHECK(digest_for_lock(path, "empty").blocks.empty());
  CHECK(code_of([&] { digest_for_lock(folder.path() / "none", "none"); }) == ErrorCode::kNotFound);
}
