// The real binary against a hub on loopback.
#include <fcntl.h>

#include <algorithm>
#include <boost/json.hpp>
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
namespace json = boost::json;
using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kModel = "hf:acme/mini";

// What stands in a folder: files by path, with their text, or "-> TARGET" for a link.
std::map<std::string, std::string> listing(const fs::path& folder) {
  std::map<std::string, std::string> found;
  if (!fs::exists(folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (entry.is_symlink()) {
      found[name] = "-> " + fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      found[name] = read_text(entry.path());
    }
  }
  return found;
}

// The snapshot folders and finished blobs that a cache holds.
size_t finished_files(const fs::path& cached_repo) {
  size_t count = 0;
  for (const auto& [name, text] : listing(cached_repo)) {
    count += name.starts_with("snapshots/") ||
             (name.starts_with("blobs/") && !Contains(".incomplete").match(name));
  }
  return count;
}

}  // namespace

TEST_CASE("fetch lays the cache out as hf does") {
  const HubFixture fixture;
  const HubServer server(fixture.root());
  const Result result = run_swinzoo({"fetch", kModel, "--json"}, fixture.env(server.url()));
  INFO(result.err);
  REQUIRE(result.status == 0);

  const json::value document = json::parse(result.out);
  REQUIRE(document.at("schema") == 1);
  const json::value& model = document.at("results").at(0);
  const std::string commit(model.at("commit").as_string());
  CHECK(commit.size() == 40);
  CHECK(model.at("folder").as_string() == (fixture.cached_repo() / "snapshots" / commit).string());
  CHECK(model.at("files").at(0).at("name") == "config.json");
  const json::value& weights = model.at("files").at(1);
  CHECK(weights.at("name") == "model.safetensors");
  CHECK(weights.at("size") == 300000);
  CHECK(weights.at("sha256").as_string() == sha256_of(fixture.weights()));
  CHECK(weights.at("state") == "downloaded");

  const auto found = listing(fixture.cached_repo());
  const std::string config_blob = "823f789207dda917b596528ff76203d3fb309031";  // git hash-object
  const std::string weights_blob = sha256_of(fixture.weights());
  CHECK(found.size() == 6);
  CHECK(found.at("refs/main") == commit);
  CHECK(found.at("blobs/" + config_blob) == read_text(fixture.repo() / "config.json"));
  CHECK(found.at("blobs/" + weights_blob) == fixture.weights());
  CHECK(found.at("snapshots/" + commit + "/config.json") == "-> ../../blobs/" + config_blob);
  CHECK(found.at("snapshots/" + commit + "/model.safetensors") == "-> ../../blobs/" + weights_blob);
  CHECK(found.contains("trees/" + commit + ".json"));
  CHECK_THAT(read_text(fixture.cache() / "CACHEDIR.TAG"),
             Catch::StartsWith("Signature: 8a477f597d28d172789f06886806bc55\n"));
  CHECK(fs::exists(fixture.cache() / ".locks" / "models--acme--mini" / (weights_blob + ".lock")));
}

TEST_CASE("an index of shards is fetched with all of them") {
  const HubFixture fixture;
  fs::remove(fixture.repo() / "model.safetensors");
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(fixture.repo() / name) << text;
  };
  write("model.safetensors.index.json",
        R"({"weight_map": {"x": "model-1.safetensors", "y": "model-2.safetensors"}})");
  write("model-1.safetensors", "one");
  write("model-2.safetensors", "two");
  write("model-3.safetensors", "of something else");
  {
    const HubServer server(fixture.root());
    const Result result = run_swinzoo({"fetch", kModel, "--json"}, fixture.env(server.url()));
    INFO(result.err);
    REQUIRE(result.status == 0);
    std::vector<std::string> names;
    const json::value document = json::parse(result.out);
    for (const json::value& file : document.at("results").at(0).at("files").as_array()) {
      names.emplace_back(file.at("name").as_string());
    }
    CHECK(names == std::vector<std::string>{"config.json", "model.safetensors.index.json",
                                            "model-1.safetensors", "model-2.safetensors"});
    CHECK(run_swinzoo({"fetch", kModel, "--offline"}, fixture.env("http://127.0.0.1:9")).status == 0);
  }
  write("model.safetensors.index.json", R"({"weight_map": {"x": "../model-1.safetensors"}})");
  const HubServer server(fixture.root());
  const Result refused = run_swinzoo({"fetch", kModel}, fixture.env(server.url()));
  CHECK(refused.status == 5);
  CHECK_THAT(refused.err, Contains("no plain file name"));
}

TEST_CASE("a second fetch asks for no bytes of the files") {
  const HubFixture fixture;
  const HubServer server(fixture.root());
  REQUIRE(run_swinzoo({"fetch", kModel}, fixture.env(server.url())).status == 0);
  const uint64_t before = server.file_bytes();
  CHECK(before == 300000 + fs::file_size(fixture.repo() / "config.json"));
  const Result again = run_swinzoo({"fetch", kModel}, fixture.env(server.url()));
  CHECK(again.status == 0);
  CHECK_THAT(again.out, Contains("cached") && !Contains("downloaded"));
  CHECK(server.file_bytes() == before);

  SECTION("and by commit no request at all") {
    const std::string commit = read_text(fixture.cached_repo() / "refs" / "main");
    const size_t requests = server.requests().size();
    CHECK(run_swinzoo({"fetch", kModel, "--revision", commit}, fixture.env(server.url())).status == 0);
    CHECK(server.requests().size() == requests);
  }
}

TEST_CASE("offline finds what was fetched and nothing else") {
  const HubFixture fixture;
  auto env = fixture.env("http://127.0.0.1:9");
  const Result before = run_swinzoo({"fetch", kModel, "--offline"}, env);
  CHECK(before.status == 3);
  CHECK_THAT(before.err, Contains("offline"));
  {
    const HubServer server(fixture.root());
    REQUIRE(run_swinzoo({"fetch", kModel}, fixture.env(server.url())).status == 0);
  }
  const Result by_flag = run_swinzoo({"fetch", kModel, "--offline"}, env);
  CHECK(by_flag.status == 0);
  CHECK_THAT(by_flag.out, Contains(sha256_of(fixture.weights())));
  env["HF_HUB_OFFLINE"] = "1";
  CHECK(run_swinzoo({"fetch", kModel}, env).status == 0);
  CHECK(run_swinzoo({"fetch", "hf:acme/other"}, env).status == 3);
  CHECK(run_swinzoo({"fetch", kModel, "--revision", "v2"}, env).status == 3);
}

TEST_CASE("a flipped byte ends in 5 and nothing counts as present") {
  const HubFixture fixture;
  const std::string file = GENERATE("model.safetensors:123456", "config.json:3");
  const HubServer server(fixture.root(), {"--flip-byte", file});
  const Result result = run_swinzoo({"fetch", kModel}, fixture.env(server.url()));
  CHECK(result.status == 5);
  CHECK_THAT(result.err, Contains(file.substr(0, file.find(':'))) && Contains("digest"));
  for (const auto& [name, text] : listing(fixture.cached_repo() / "blobs")) {
    // The other file may have come whole by then.
    CHECK_FALSE(Contains(".incomplete").match(name));
    const std::string other = file.starts_with("config") ? "model.safetensors" : "config.json";
    const bool is_other = text == read_text(fixture.repo() / other);
    CHECK(is_other);
  }
  CHECK_FALSE(fs::exists(fixture.cached_repo() / "refs"));
  CHECK(run_swinzoo({"fetch", kModel, "--offline"}, fixture.env(server.url())).status == 3);
}

TEST_CASE("damage in the cache is found and mended") {
  const HubFixture fixture;
  const HubServer server(fixture.root());
  REQUIRE(run_swinzoo({"fetch", kModel}, fixture.env(server.url())).status == 0);
  const fs::path blob = fixture.cached_repo() / "blobs" / sha256_of(fixture.weights());
  std::fstream(blob, std::ios::in | std::ios::out | std::ios::binary).seekp(1000).put('!').put('?');
  REQUIRE(read_text(blob) != fixture.weights());
  CHECK(run_swinzoo({"fetch", kModel, "--offline"}, fixture.env(server.url())).status == 5);
  CHECK(run_swinzoo({"fetch", kModel}, fixture.env(server.url())).status == 0);
  CHECK(read_text(blob) == fixture.weights());
}

TEST_CASE("a connection that is cut is resumed where it broke") {
  const HubFixture fixture;
  const HubServer server(fixture.root(), {"--cut-after", "130000"});
  const Result result = run_swinzoo({"fetch", kModel}, fixture.env(server.url()));
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.err, Contains("trying again"));
  CHECK(server.file_bytes() == 300000 + fs::file_size(fixture.repo() / "config.json"));
  std::vector<std::string> ranges;
  for (const Request& request : server.requests()) {
    if (request.server == "cdn") ranges.push_back(request.range);
  }
  CHECK(ranges == std::vector<std::string>{"-", "bytes=130000-", "bytes=260000-"});
}

TEST_CASE("what an earlier run left is kept when it is right and dropped when not") {
  const HubFixture fixture;
  const HubServer server(fixture.root());
  const std::string etag = sha256_of(fixture.weights());
  fs::create_directories(fixture.cached_repo() / "blobs");
  const bool is_right = GENERATE(true, false);
  std::string part = fixture.weights().substr(0, 200000);
  if (!is_right) part[77] ^= 1;
  std::ofstream(fixture.cached_repo() / "blobs" / (etag + ".incomplete"), std::ios::binary) << part;
  const Result result = run_swinzoo({"fetch", kModel}, fixture.env(server.url()));
  CHECK(result.status == 0);
  const uint64_t config = fs::file_size(fixture.repo() / "config.json");
  CHECK(server.file_bytes() == config + (is_right ? 100000 : 400000));
  CHECK(read_text(fixture.cached_repo() / "blobs" / etag) == fixture.weights());
}

TEST_CASE("a busy hub is asked again") {
  const HubFixture fixture;
  const HubServer server(fixture.root(), {"--busy", "2"});
  const Result result = run_swinzoo({"fetch", kModel}, fixture.env(server.url()));
  CHECK(result.status == 0);
  CHECK_THAT(result.err, Contains("503"));
  CHECK(run_swinzoo({"-q", "fetch", kModel}, fixture.env(server.url())).err.empty());
}

TEST_CASE("the token goes to the hub and never to the CDN") {
  const HubFixture fixture;
  const HubServer server(fixture.root(), {"--gated", "acme/mini=hf_secret", "--cut-after", "200000"});
  auto env = fixture.env(server.url());

  const Result without = run_swinzoo({"fetch", kModel}, env);
  CHECK(without.status == 4);
  CHECK_THAT(without.err, Contains("gated") && Contains("HF_TOKEN"));
  CHECK(finished_files(fixture.cached_repo()) == 0);

  env["HF_TOKEN"] = "hf_other";
  const Result with_other = run_swinzoo({"fetch", kModel}, env);
  CHECK(with_other.status == 4);
  CHECK_THAT(with_other.err, Contains("gated") && !Contains("hf_other"));

  const TemporaryFolder folder;
  std::ofstream(folder.path() / "token") << "hf_secret\n";
  env["HF_TOKEN"] = "";
  env["HF_TOKEN_PATH"] = (folder.path() / "token").string();
  const Result with = run_swinzoo({"fetch", kModel, "-v"}, env);
  INFO(with.err);
  CHECK(with.status == 0);
  CHECK_THAT(with.out + with.err, !Contains("hf_secret"));
  size_t hub = 0;
  size_t cdn = 0;
  for (const Request& request : server.requests()) {
    if (request.server == "cdn") CHECK_FALSE(request.has_token);
    hub += request.server == "hub" && request.has_token;
    cdn += request.server == "cdn" && request.status < 300;
  }
  CHECK(hub > 4);
  CHECK(cdn == 2);
}

TEST_CASE("what the hub does not have is not found") {
  const HubFixture fixture;
  const HubServer server(fixture.root());
  auto env = fixture.env(server.url());
  const Result unknown = run_swinzoo({"fetch", "hf:acme/none"}, env);
  CHECK(unknown.status == 3);
  CHECK_THAT(unknown.err, Contains("no such repository") && Contains("private"));
  env["HF_TOKEN"] = "hf_any";
  CHECK(run_swinzoo({"fetch", "hf:acme/none"}, env).status == 3);
  const Result revision = run_swinzoo({"fetch", "hf:acme/mini@v9"}, env);
  CHECK(revision.status == 3);
  CHECK_THAT(revision.err, Contains("no revision 'v9'"));
  fs::remove(fixture.repo() / "model.safetensors");
  const Result no_weights = run_swinzoo({"fetch", kModel}, env);
  CHECK(no_weights.status == 3);
  CHECK_THAT(no_weights.err, Contains("no weights"));
}

TEST_CASE("a dead server is a network error") {
  const HubFixture fixture;
  std::string url;
  {
    const HubServer server(fixture.root());
    url = server.url();
    REQUIRE(run_swinzoo({"fetch", kModel}, fixture.env(url)).status == 0);
  }
  const Result result = run_swinzoo({"fetch", kModel}, fixture.env(url));
  CHECK(result.status == 4);
  CHECK_THAT(result.err, Contains("127.0.0.1") && Contains("tries") && Contains("--offline takes that"));
  const Result other = run_swinzoo({"fetch", "hf:acme/other"}, fixture.env(url));
  CHECK(other.status == 4);
  CHECK_THAT(other.err, !Contains("--offline"));
}

TEST_CASE("no room for a file ends in 6") {
  const HubFixture fixture;
  const HubServer server(fixture.root());
  Process process({"/bin/sh", "-c", "ulimit -f 100; exec \"$0\" \"$@\"", SWINZOO_BINARY, "fetch", kModel},
                  fixture.env(server.url()));
  CHECK(process.wait() == 6);
  CHECK(run_swinzoo({"fetch", kModel, "--offline"}, fixture.env(server.url())).status == 3);
}

TEST_CASE("an interrupt ends in 130 and the next fetch goes on") {
  const HubFixture fixture(4 * 1000 * 1000);
  const HubServer server(fixture.root(), {"--rate", "2000000"});
  const fs::path blob = fixture.cached_repo() / "blobs" / sha256_of(fixture.weights());
  const auto journalled = [&] {
    const std::string text = read_text(blob.string() + ".swinzoo.incomplete.journal");
    return std::count(text.begin(), text.end(), '\n') - 4;  // its head, with an ETag
  };
  Process process({SWINZOO_BINARY, "fetch", kModel}, fixture.env(server.url()));
  for (int i = 0; i < 500 && journalled() < 4; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  process.send_signal(SIGINT);
  CHECK(process.wait() == 130);
  CHECK_THAT(process.err(), Contains("interrupted"));
  REQUIRE(journalled() >= 4);
  const uint64_t left = static_cast<uint64_t>(journalled()) * 65536;
  // A file with holes under this name would be taken for the first bytes by some releases of huggingface_hub.
  CHECK_FALSE(fs::exists(blob.string() + ".incomplete"));

  const uint64_t before = server.settled_file_bytes();
  CHECK(run_swinzoo({"fetch", kModel}, fixture.env(server.url())).status == 0);
  CHECK(server.file_bytes() == before + 4 * 1000 * 1000 - left);
}

TEST_CASE("several processes fetch one model once") {
  const HubFixture fixture(1000 * 1000);
  const HubServer server(fixture.root(), {"--rate", "2000000"});
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 8; ++i) {
    processes.push_back(std::make_unique<Process>(std::vector<std::string>{SWINZOO_BINARY, "fetch", kModel},
                                                  fixture.env(server.url())));
  }
  for (const auto& process : processes) CHECK(process->wait() == 0);
  CHECK(server.file_bytes() == 1000 * 1000 + fs::file_size(fixture.repo() / "config.json"));
}

TEST_CASE("one of several models failing does not stop the rest") {
  const HubFixture fixture;
  const HubServer server(fixture.root());
  const Result result = run_swinzoo({"fetch", "hf:acme/none", kModel, "--json"}, fixture.env(server.url()));
  CHECK(result.status == 1);
  const json::value document = json::parse(result.out);
  CHECK(document.at("results").at(0).at("ok") == false);
  CHECK(document.at("results").at(0).at("error").at("code") == 3);
  CHECK(document.at("results").at(1).at("ok") == true);
}

TEST_CASE("a path is checked and reported") {
  const HubFixture fixture;
  const auto env = fixture.env("http://127.0.0.1:9");
  const std::string file = (fixture.repo() / "model.safetensors").string();
  for (const std::string& path : {file, "file:" + file, fixture.repo().string()}) {
    const Result result = run_swinzoo({"fetch", path}, env);
    INFO(path << result.err);
    CHECK(result.status == 0);
    CHECK_THAT(result.out,
               Contains(sha256_of(fixture.weights())) && Contains("config.json") && Contains("local"));
  }
  CHECK(run_swinzoo({"fetch", file + ".gone"}, env).status == 3);
}

TEST_CASE("what is no source is refused") {
  const HubFixture fixture;
  const auto env = fixture.env("http://127.0.0.1:9");
  for (const char* bad :
       {"hf:acme", "hf:acme/", "hf:../etc", "hf:acme/mini@", "hf:acme/mini@../../x", "hf:a/b/c"}) {
    INFO(bad);
    CHECK(run_swinzoo({"fetch", bad}, env).status == 2);
  }
  CHECK(run_swinzoo({"fetch", "hf:acme/mini@v1", "--revision", "v2"}, env).status == 2);
  CHECK(run_swinzoo({"fetch"}, env).status == 2);
  CHECK(run_swinzoo({"fetch", kModel, "--format", "xml"}, env).status == 2);
}
