// The real binary against a hub that does things wrong (tests/tools/faults.h).
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "formats/sha256.h"
#include "tests/hub_server.h"
#include "tests/run_binary.h"
#include "tests/text_files.h"

namespace fs = std::filesystem;
using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kModel = "hf:acme/mini";
constexpr size_t kLarge = 12 * 1000 * 1000;  // bytes: fetched by several connections
constexpr uint64_t kBlock = 64 * 1024;

// A hub with faults, an empty cache, and what the real binary makes of it.
struct Faulty {
  Faulty(size_t size, const std::vector<std::string>& faults, std::vector<std::string> options = {})
      : fixture(size),
        server(fixture.root(), with(faults, std::move(options))),
        env(fixture.env(server.url())) {
    env["HF_HUB_DOWNLOAD_TIMEOUT"] = "1";
    blob_ = fixture.cached_repo() / "blobs" / sha256_of(fixture.weights());
  }

  static std::vector<std::string> with(const std::vector<std::string>& faults,
                                       std::vector<std::string> options) {
    for (const std::string& fault : faults) {
      options.push_back("--fault");
      options.push_back(fault);
    }
    return options;
  }

  const fs::path& blob() const { return blob_; }
  fs::path unfinished() const { return blob_.string() + ".swinzoo.incomplete"; }
  uint64_t all_bytes() const {
    return fixture.weights().size() + fs::file_size(fixture.repo() / "config.json");
  }
  Result fetch() const { return run_swinzoo({"fetch", kModel}, env); }

  // The weights are there, and nothing unfinished.
  bool is_whole() const {
    for (const auto& entry : fs::directory_iterator(blob().parent_path())) {
      if (entry.path().filename().string().find("incomplete") != std::string::npos) return false;
    }
    return read_text(blob()) == fixture.weights();
  }

  // Starts a fetch and ends it with `signal` once the journal names `blocks`; returns how many it names then.
  uint64_t break_off(uint64_t blocks, int signal) const {
    Process process({SWINZOO_BINARY, "fetch", kModel}, env);
    for (int i = 0; i < 1000 && journalled() < blocks; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    process.send_signal(signal);
    process.wait();
    return journalled();
  }

  uint64_t journalled() const {
    std::ifstream journal(unfinished().string() + ".journal");
    uint64_t blocks = 0;
    for (std::string line; std::getline(journal, line);) {
      blocks += line.size() > 64 && line.find_first_not_of("0123456789abcdef ") == std::string::npos;
    }
    return blocks;
  }

  HubFixture fixture;
  HubServer server;
  std::map<std::string, std::string> env;

 private:
  fs::path blob_;
};

}  // namespace

TEST_CASE("several connections fetch one file") {
  const Faulty hub(kLarge, {});
  const Result result = hub.fetch();
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(hub.is_whole());
  CHECK(hub.server.file_bytes() == hub.all_bytes());
  size_t ranges = 0;
  for (const Request& request : hub.server.requests())
    ranges += request.server == "cdn" && request.status == 206;
  CHECK(ranges > 4);
}

TEST_CASE("connections that are cut at random bytes lose nothing") {
  const Faulty hub(kLarge, {"cut=3000000"});
  const Result result = hub.fetch();
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.err, Contains("trying again"));
  CHECK(hub.is_whole());
  CHECK(hub.server.file_bytes() == hub.all_bytes());
}

TEST_CASE("a connection that stalls is given up and another takes its place") {
  const Faulty hub(GENERATE(300000, kLarge), {"stall=70000*2+1"});
  const Result result = hub.fetch();
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.err, Contains("trying again"));
  CHECK(hub.is_whole());
}

TEST_CASE("a file that only drips is given up") {
  const Faulty hub(300000, {}, {"--rate", "20"});
  const Result result = hub.fetch();
  CHECK(result.status == 4);
  CHECK_THAT(result.err, Contains("tries"));
  CHECK_FALSE(fs::exists(hub.blob()));
}

TEST_CASE("busy answers are waited for, up to a point") {
  const std::string status = GENERATE("429", "500", "503");
  const size_t size = GENERATE(300000, kLarge);
  const Faulty passing(size, {"status=" + status + "*2+1"});
  const Result result = passing.fetch();
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.err, Contains("answered " + status));
  CHECK(passing.is_whole());
  const Faulty lasting(size, {"status=" + status});
  const Result refused = lasting.fetch();
  CHECK(refused.status == 4);
  CHECK_THAT(refused.err, Contains("answered " + status) && Contains("4 tries"));
}

TEST_CASE("a wrong Content-Length is never believed") {
  const std::string by = GENERATE("100", "-100");
  const size_t size = GENERATE(300000, kLarge);
  const Faulty once(size, {"length=" + by + "*1+1"});
  const Result result = once.fetch();
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK(once.is_whole());
  const Faulty always(300000, {"length=" + by});
  CHECK(always.fetch().status == 5);
  CHECK(fs::is_empty(always.blob().parent_path()));
}

TEST_CASE("a server that ignores ranges is asked by one connection") {
  const Faulty hub(kLarge, {"no-ranges=1"});
  const Result result = hub.fetch();
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(hub.is_whole());
  CHECK(hub.server.file_bytes() == hub.all_bytes());
}

TEST_CASE("a whole file for a range costs nothing that was there") {
  const Faulty hub(kLarge, {"no-ranges=1+6", "cut=500000*3"});
  const Result result = hub.fetch();
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(hub.is_whole());
}

TEST_CASE("an answer of another range is not taken") {
  const Faulty hub(kLarge, {GENERATE("shift-range=65536*1+2", "shift-range=65536", "shift-range=1")});
  const Result result = hub.fetch();
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(hub.is_whole());
}

TEST_CASE("a part of a range is taken and the rest asked for") {
  const Faulty hub(kLarge, {"short-range=700001"});
  const Result result = hub.fetch();
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(hub.is_whole());
  CHECK(hub.server.file_bytes() == hub.all_bytes());
}

TEST_CASE("another ETag between ranges starts again") {
  const Faulty hub(kLarge, {"etag=2+4"});
  const Result result = hub.fetch();
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.err, Contains("changed on the server"));
  CHECK(hub.is_whole());
}

TEST_CASE("a byte that is flipped once is fetched again and one that stays so is refused") {
  const size_t size = GENERATE(300000, kLarge);
  const Faulty once(size, {"flip=200000*1"});
  const Result result = once.fetch();
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.err, Contains("from scratch"));
  CHECK(once.is_whole());
  CHECK(once.server.file_bytes() == once.all_bytes() + size);
  const Faulty always(size, {"flip=200000"});
  const Result refused = always.fetch();
  CHECK(refused.status == 5);
  CHECK_THAT(refused.err, Contains("digest") && Contains("nothing was kept"));
  CHECK_FALSE(fs::exists(always.blob()));
  CHECK_FALSE(fs::exists(always.unfinished()));
}

TEST_CASE("redirects without end are given up") {
  const Faulty hub(300000, {"redirect=1"});
  const Result result = hub.fetch();
  CHECK(result.status == 4);
  CHECK_THAT(result.err, Contains("more than 10 redirects"));
}

TEST_CASE("a signed URL that expires is asked for anew") {
  const Faulty hub(kLarge, {}, {"--signature-uses", "3"});
  const Result result = hub.fetch();
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(hub.is_whole());
  CHECK(hub.server.file_bytes() < hub.all_bytes() + 1000);  // the refusals' text too
  size_t resolved = 0;
  for (const Request& request : hub.server.requests()) {
    resolved += request.status == 302 && request.server == "hub";
  }
  CHECK(resolved > 1);
}

TEST_CASE("what a killed fetch wrote is not fetched again") {
  const Faulty hub(kLarge, {}, {"--total-rate", "4000000"});
  uint64_t kept = 0;
  for (int i = 0; i < 4; ++i) kept = hub.break_off(kept + 20, SIGKILL);
  CHECK(kept >= 80);
  const uint64_t before = hub.server.settled_file_bytes();
  const Result result = hub.fetch();
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(hub.is_whole());
  CHECK(hub.server.file_bytes() <= before + kLarge - kept * kBlock + kBlock);
}

TEST_CASE("damage to what a killed fetch wrote is found and only that fetched again") {
  const Faulty hub(kLarge, {}, {"--total-rate", "4000000"});
  const uint64_t kept = hub.break_off(60, SIGKILL);
  REQUIRE(kept < kLarge / kBlock);
  const fs::path journal = hub.unfinished().string() + ".journal";
  uint64_t damaged = 0;
  SECTION("in a block") {
    std::istringstream lines(read_text(journal));
    uint64_t block = 0;
    for (std::string line; std::getline(lines, line);) {
      if (std::isdigit(static_cast<unsigned char>(line[0]))) block = std::stoull(line);
    }
    std::fstream file(hub.unfinished(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(block * kBlock + 5));
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(block * kBlock + 5)).put(byte);
    damaged = 1;
  }
  SECTION("in the journal's last line") {
    fs::resize_file(journal, fs::file_size(journal) - 3);
    damaged = 1;
  }
  SECTION("a journal that names blocks that never came") {
    std::ofstream(journal, std::ios::app) << "182 " << std::string(64, 'a') << "\n"
                                          << "999999999 ff\n\nsize 7\n";
  }
  SECTION("a journal of another size or URL or version, or none") {
    std::string text = read_text(journal);
    const char* part = GENERATE("size 12000000", "url http", "etag \"", "swinzoo");
    text[text.find(part) + std::string(part).size() - 1] = '7';
    std::ofstream(journal, std::ios::binary) << text;
    damaged = kept;
  }
  SECTION("a file cut short") {
    fs::resize_file(hub.unfinished(), 3 * kBlock);
    damaged = kept;
  }
  const uint64_t before = hub.server.settled_file_bytes();
  const Result result = hub.fetch();
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(hub.is_whole());
  // On a busy machine connections are given up as too slow, and lose what they had of a block.
  uint64_t lost = 1;
  for (size_t at = 0; (at = result.err.find("trying again", at)) != std::string::npos; ++at) ++lost;
  CHECK(hub.server.file_bytes() <= before + kLarge - (kept - damaged) * kBlock + 8 * lost * kBlock);
}
