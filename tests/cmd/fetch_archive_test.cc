// The real binary against archives and caches that want to do harm.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/loopback_server.h"
#include "tests/made_tar.h"
#include "tests/source_fixture.h"

namespace fs = std::filesystem;
using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

// A user whose TF-Hub serves these bytes, whatever is asked for.
struct Served {
  explicit Served(std::string bytes)
      : server([body = std::move(bytes)](const SeenRequest&) {
          return Reply{200, {}, body};
        }) {
    user.env["SWINZOO_TFHUB_ENDPOINT"] = server.url();
  }
  Result fetch() const { return user.run({"fetch", "tfhub:acme/mini/1"}); }

  LoopbackServer server;
  SourceFixture user;
};

// All that is below a folder.
size_t count_below(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::recursive_directory_iterator(folder), fs::recursive_directory_iterator()));
}

}  // namespace

TEST_CASE("hostile and damaged archives end in 5 and leave nothing") {
  const std::string zeros(size_t{70} << 20, '\0');
  const std::string good = saved_model_tar_gz();
  const std::vector<std::pair<const char*, std::string>> hostile = {
      {"an absolute path", make_tar({{"saved_model.pb", "g"}, {"/tmp/swinzoo_evil", "x"}}, true)},
      {"a path that leads out", make_tar({{"saved_model.pb", "g"}, {"../../../evil", "x"}}, true)},
      {"a link out", make_tar({{"link", "../../..", 's'}, {"link/evil", "x"}}, true)},
      {"a hard link", make_tar({{"passwd", "/etc/passwd", 'h'}}, true)},
      {"a device", make_tar({{"saved_model.pb", "", 'c'}}, true)},
      {"a pipe", make_tar({{"saved_model.pb", "", 'p'}}, true)},
      {"a bomb", make_tar({{"saved_model.pb", zeros}}, true)},
      {"a truncated gzip", good.substr(0, good.size() / 2)},
      {"a gzip without its end", good.substr(0, good.size() - 4)},
      {"no SavedModel", make_tar({{"readme.txt", "hello"}}, true)},
      {"half a SavedModel", make_tar({{"saved_model.pb", ""}}, true)},
      {"no archive", "<!doctype html><html></html>"},
      {"nothing", ""},
  };
  for (const auto& [what, bytes] : hostile) {
    const Served made(bytes);
    const Result result = made.fetch();
    INFO(what << ": " << result.err);
    CHECK(result.status == 5);
    CHECK_THAT(result.err, Contains("tfhub:acme/mini/1"));
    CHECK(made.user.entries().empty());
    CHECK(made.user.run({"inspect", "tfhub:acme/mini/1"}).status == 3);
    CHECK_FALSE(fs::exists(made.user.home() / "evil"));
    CHECK_FALSE(fs::exists(made.user.home() / "cache" / "evil"));
    // CACHEDIR.TAG, sources/, locks/ and the lock.
    CHECK(count_below(made.user.cache()) == 4);
  }
  CHECK_FALSE(fs::exists("/tmp/swinzoo_evil"));
}

TEST_CASE("what is no checkpoint at a URL ends in 5 and leaves nothing") {
  const LoopbackServer server([](const SeenRequest&) { return Reply{200, {}, "<!doctype html>"}; });
  const SourceFixture user;
  for (const char* name : {"/mini.pth", "/mini.safetensors", "/mini"}) {
    CHECK(user.run({"fetch", server.url() + name}).status == 5);
    CHECK(user.entries().empty());
  }
}

TEST_CASE("a full disk ends in 6 and keeps the archive") {
  const Served made(saved_model_tar_gz());
  // A limit on the size of files stands for the full disk: the archive fits, its largest member does not.
  const auto with_limit = [&](int kib) {
    Process process(
        {"/bin/bash", "-c",
         "ulimit -f " + std::to_string(kib) + "; exec " + SWINZOO_BINARY + " fetch tfhub:acme/mini/1"},
        made.user.env);
    const int status = process.wait();
    INFO(process.err());
    CHECK(status == 6);
    CHECK_THAT(process.err(), Contains("File too large"));
  };
  with_limit(100);
  CHECK(made.user.run({"fetch", "tfhub:acme/mini/1", "--offline"}).status == 3);
  const auto archive_kib = static_cast<int>(saved_model_tar_gz().size() / 1024);
  with_limit(archive_kib + 200);
  CHECK(made.user.run({"fetch", "tfhub:acme/mini/1", "--offline"}).status == 3);
  CHECK_FALSE(fs::exists(made.user.entry() / "unpacked"));
  CHECK_FALSE(fs::exists(made.user.entry() / "unpacked.tmp"));
  const uint64_t bytes = made.server.body_bytes();
  CHECK(made.fetch().status == 0);
  CHECK(made.server.body_bytes() == bytes);  // the archive was kept
}

TEST_CASE("a cache that can't be written ends in 1 and says so") {
  const Served made(saved_model_tar_gz());
  std::vector<std::string> command = {SWINZOO_BINARY, "fetch", "tfhub:acme/mini/1"};
  if (::geteuid() == 0) {  // to whom everything is writable
    const std::vector<std::string> nobody = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534",
                                             "--clear-groups"};
    command.insert(command.begin(), nobody.begin(), nobody.end());
    std::vector<std::string> version(command.begin(), command.begin() + 5);
    version.emplace_back("--version");
    if (Process(version, {}).wait() != 0) return;  // the build is not for everybody to read
  }
  ::chmod(made.user.home().c_str(), 0755);
  fs::create_directories(made.user.home() / "cache");
  ::chmod((made.user.home() / "cache").c_str(), 0555);
  Process process(command, made.user.env);
  CHECK(process.wait() == 1);
  CHECK_THAT(process.err(), Contains("cache/swinzoo") && Contains("Permission denied"));
  CHECK(made.server.requests().empty());
}
