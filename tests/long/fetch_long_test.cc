// What takes minutes, or rights that not every machine gives: the real binary, killed 200 times; full and
// read-only disks.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "formats/sha256.h"
#include "tests/hub_server.h"
#include "tests/run_binary.h"

namespace fs = std::filesystem;
using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kModel = "hf:acme/mini";

// Replaces the weights by so many made-up bytes.
void make_weights(const HubFixture& fixture, uint64_t size) {
  std::ofstream file(fixture.repo() / "model.safetensors", std::ios::binary);
  std::mt19937_64 random(5);
  std::vector<uint64_t> piece(1 << 16);
  for (uint64_t done = 0; done < size; done += piece.size() * sizeof(uint64_t)) {
    for (uint64_t& word : piece) word = random();
    const uint64_t count = std::min<uint64_t>(size - done, piece.size() * sizeof(uint64_t));
    file.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(count));
  }
}

// A command in a user and mount namespace of its own, where it is root and may mount.
int run_in_namespace(const std::string& script, const std::vector<std::string>& args,
                     const std::map<std::string, std::string>& env, std::string& err) {
  std::vector<std::string> words = {"/usr/bin/unshare", "-rm", "/bin/sh", "-c", script, "sh"};
  words.insert(words.end(), args.begin(), args.end());
  Process process(words, env);
  const int status = process.wait();
  err = process.err();
  return status;
}

void require_namespaces() {
  std::string err;
  const int status = run_in_namespace("mount -t tmpfs none /mnt", {}, {}, err);
  INFO(
      "this test mounts a tmpfs in a user namespace, which must be permitted "
      "(kernel.unprivileged_userns_clone): "
      << err);
  REQUIRE(status == 0);
}

}  // namespace

TEST_CASE("200 kills of a 1 GB download lose little and the next fetch is right") {
  constexpr uint64_t kSize = 1000 * 1000 * 1000;
  constexpr int kKills = 200;
  const HubFixture fixture(1);
  make_weights(fixture, kSize);
  const std::string digest = sha256_of_file(fixture.repo() / "model.safetensors");
  const HubServer server(fixture.root(), {"--total-rate", "40000000", "--send-buffer", "65536"});
  const auto env = fixture.env(server.url());
  REQUIRE(run_swinzoo({"fetch", "hf:acme/mini@v9"}, env).status == 3);  // it has digested its files now

  const fs::path blob = fixture.cached_repo() / "blobs" / digest;
  const auto journaled = [&] {
    std::error_code error;
    const uintmax_t size = fs::file_size(blob.string() + ".swinzoo.incomplete.journal", error);
    return error ? 0 : size;
  };
  std::mt19937 random(3);
  for (int i = 0; i < kKills; ++i) {
    const uintmax_t before = journaled();
    Process process({SWINZOO_BINARY, "fetch", kModel}, env);
    // Three of four live until bytes have come, however long starting takes here; the others die at any time.
    for (int waits = 0; i % 4 != 0 && waits < 2000 && journaled() <= before; ++waits) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    // 0.07 s on average: of the 25 s that the download takes they leave a part.
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(0, 140)(random)));
    process.send_signal(SIGKILL);
    REQUIRE(process.wait() == 128 + SIGKILL);
  }
  CHECK_FALSE(fs::exists(blob));
  const uint64_t before = server.settled_file_bytes();
  CHECK(before > kSize / 10);  // or the kills came before anything did

  const Result result = run_swinzoo({"fetch", kModel}, env);
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(sha256_of_file(blob) == digest);
  const uint64_t again = server.file_bytes() - kSize;
  WARN(before << " bytes before the last fetch, " << again << " bytes fetched again");
  CHECK(again <= kSize / 10 + kKills * uint64_t{1000 * 1000});
}

TEST_CASE("a disk that is too small is told before a byte is asked for") {
  require_namespaces();
  const HubFixture fixture(4 * 1000 * 1000);
  const HubServer server(fixture.root());
  fs::create_directories(fixture.cache());
  std::string err;
  const int status =
      run_in_namespace("mount -t tmpfs -o size=1m none \"$1\" && exec \"$2\" fetch hf:acme/mini",
                       {fixture.cache().string(), SWINZOO_BINARY}, fixture.env(server.url()), err);
  INFO(err);
  CHECK(status == 6);
  CHECK_THAT(err, Contains("are needed") && Contains("are missing"));
  CHECK(server.file_bytes() == 0);
}

TEST_CASE("a disk that fills up ends in 6 and what came is kept") {
  require_namespaces();
  const HubFixture fixture(12 * 1000 * 1000);
  const HubServer server(fixture.root(), {"--total-rate", "6000000"});
  fs::create_directories(fixture.cache());
  std::string err;
  // Somebody else takes the space while it runs, and gives it back.
  const int status = run_in_namespace(
      "mount -t tmpfs -o size=14m none \"$1\" || exit 99\n"
      "\"$2\" fetch hf:acme/mini & sleep 0.7; head -c 10000000 /dev/zero > \"$1/filler\"; wait $!; echo "
      "first $? >&2\n"
      "ls -R \"$1\" >&2; rm \"$1/filler\"; exec \"$2\" fetch hf:acme/mini",
      {fixture.cache().string(), SWINZOO_BINARY}, fixture.env(server.url()), err);
  INFO(err);
  CHECK(status == 0);
  CHECK_THAT(err, Contains("first 6") && Contains(".swinzoo.incomplete.journal"));
  CHECK(server.file_bytes() < 12 * 1000 * 1000 + 3 * 1000 * 1000);
}

TEST_CASE("a cache that can't be written is said so, and still read") {
  const HubFixture fixture;
  const HubServer server(fixture.root());
  const auto env = fixture.env(server.url());
  fs::permissions(fixture.root().parent_path(), fs::perms(0755));
  const bool is_empty = GENERATE(true, false);
  if (!is_empty) REQUIRE(run_swinzoo({"fetch", kModel}, env).status == 0);
  fs::create_directories(fixture.cache());
  std::vector<std::string> words = {SWINZOO_BINARY, "fetch", kModel};
  if (::geteuid() == 0) {
    words.insert(words.begin(), {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
  } else {
    for (const auto& entry : fs::recursive_directory_iterator(fixture.cache())) {
      if (entry.is_directory()) fs::permissions(entry, fs::perms(0555));
    }
    fs::permissions(fixture.cache(), fs::perms(0555));
  }
  Process process(words, env);
  const int status = process.wait();
  INFO(process.err());
  CHECK(status == (is_empty ? 1 : 0));
  if (is_empty)
    CHECK_THAT(process.err(), Contains(fixture.cache().string()) && Contains("Permission denied"));
  for (const auto& entry : fs::recursive_directory_iterator(fixture.cache())) {
    if (entry.is_directory()) fs::permissions(entry, fs::perms(0755));
  }
  fs::permissions(fixture.cache(), fs::perms(0755));
}
