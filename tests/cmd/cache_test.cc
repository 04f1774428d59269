// `swinzoo cache`, by the real binary, on caches that it filled from a hub on loopback.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "formats/error.h"
#include "formats/sha256.h"
#include "tests/cmd/results.h"
#include "tests/hub_server.h"
#include "tests/run_binary.h"
#include "tests/text_files.h"

namespace fs = std::filesystem;
using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kModel = "hf:acme/mini";

// All paths below a folder.
std::set<std::string> paths_in(const fs::path& folder) {
  std::set<std::string> found;
  if (!fs::exists(folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    found.insert(entry.path().lexically_relative(folder).string());
  }
  return found;
}

// A member that is a text.
std::string text_at(const json::value& object, const char* key) { return as_string(object.at(key), key); }

void flip_byte(const fs::path& path, std::streamoff at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  char byte = 0;
  file.seekg(at).get(byte);
  file.seekp(at).put(static_cast<char>(byte ^ 1));
}

// A hub, and a cache of its own that two commits of acme/mini were fetched into: `main` has another config
// than the older one, and the same weights.
class Cache {
 public:
  Cache() : server_(fixture_.root()), env_(fixture_.env(server_.url())) {
    env_["XDG_CACHE_HOME"] = (fixture_.cache().parent_path() / "xdg").string();
    env_["SWINZOO_CATALOG"] = "";
    old_commit_ = fetch();
    old_config_ = fs::read_symlink(repo() / "snapshots" / old_commit_ / "config.json").filename();
    write_text(fixture_.repo() / "config.json", "{\"architecture\": \"swin_small_patch4_window7_224\"}\n");
    commit_ = fetch();
    REQUIRE(commit_ != old_commit_);
  }

  Result run(const std::vector<std::string>& arguments) const { return run_swinzoo(arguments, env_); }

  std::string fetch() const {
    const Result result = run({"fetch", kModel, "--json"});
    INFO(result.err);
    REQUIRE(result.status == 0);
    return as_string(results_of(result).at(0).at("commit"), "commit");
  }

  fs::path repo() const { return fixture_.cached_repo(); }
  fs::path weights_blob() const { return repo() / "blobs" / sha256_of(fixture_.weights()); }
  fs::path old_config_blob() const { return repo() / "blobs" / old_config_; }
  const std::string& commit() const { return commit_; }
  const std::string& old_commit() const { return old_commit_; }
  const HubFixture& fixture() const { return fixture_; }
  const HubServer& server() const { return server_; }
  const std::map<std::string, std::string>& env() const { return env_; }

 private:
  HubFixture fixture_;
  HubServer server_;
  std::map<std::string, std::string> env_;
  std::string commit_, old_commit_, old_config_;
};

constexpr uint64_t kConfigs = 49 + 50;  // bytes of both config.json

}  // namespace

TEST_CASE("cache ls shows every revision and counts shared bytes once") {
  const Cache cache;
  const json::array results = results_of(cache.run({"cache", "ls", "--json"}));
  REQUIRE(results.size() == 1);
  const json::value& model = results.at(0);
  CHECK(model.at("model") == kModel);
  CHECK(model.at("entry").is_null());
  CHECK(text_at(model, "folder") == cache.repo().string());
  CHECK(model.at("size") == 300000 + kConfigs);
  CHECK(model.at("unfinished").as_array().empty());
  CHECK(model.at("leftovers").as_array().empty());
  CHECK(model.at("problems").as_array().empty());
  const json::array& revisions = model.at("revisions").as_array();
  REQUIRE(revisions.size() == 2);
  for (const json::value& revision : revisions) {
    const bool is_new = text_at(revision, "commit") == cache.commit();
    CHECK((is_new || text_at(revision, "commit") == cache.old_commit()));
    CHECK(revision.at("refs").as_array() == (is_new ? json::array{"main"} : json::array{}));
    CHECK(revision.at("size") == 300000 + (is_new ? 50 : 49));
    CHECK(revision.at("files").as_array().size() == 2);
    CHECK_THAT(as_string(revision.at("modified"), ""), Contains("T") && Catch::EndsWith("Z"));
  }
  const Result text = cache.run({"cache", "ls"});
  CHECK(text.status == 0);
  CHECK_THAT(text.out, Contains(cache.commit().substr(0, 12)) && Contains("main") && Contains("just now") &&
                           Contains("1 models, 2 revisions, 300.1 kB on disk"));
}

TEST_CASE("cache ls shows what is unfinished, left over and wrong") {
  const Cache cache;
  write_text(cache.repo() / "blobs" / (std::string(64, 'a') + ".incomplete"), "some bytes");
  write_text(cache.repo() / "blobs" / std::string(64, 'b'), "of no revision");
  write_text(cache.repo() / "refs" / "v1", std::string(40, 'c'));
  fs::remove(cache.old_config_blob());
  const Result result = cache.run({"cache", "ls", "--json"});
  CHECK(result.status == 0);
  CHECK_THAT(result.err, Contains("v1 stands for a revision that is not there"));
  const json::value model = results_of(result).at(0);
  REQUIRE(model.at("unfinished").as_array().size() == 1);
  CHECK(model.at("unfinished").at(0).at("size") == 10);
  CHECK(model.at("leftovers").as_array().size() == 2);
  CHECK(model.at("problems").as_array().size() == 2);
  CHECK_THAT(cache.run({"cache", "ls"}).out, Contains("unfinished") && Contains("leftovers"));
}

TEST_CASE("models are chosen by name, glob, revision, commit and collection") {
  const Cache cache;
  const auto chosen = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"cache", "ls", "--json"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return results_of(cache.run(all));
  };
  for (const char* name : {"hf:acme/mini", "acme/mini", "acme/*", "*mini", "hf:*", "acme/m[hi]ni"}) {
    INFO(name);
    const json::array results = chosen({name});
    REQUIRE(results.size() == 1);
    CHECK(results.at(0).at("revisions").as_array().size() == 2);
  }
  for (const std::string& name : {cache.old_commit(), "acme/mini@" + cache.old_commit(),
                                  "hf:acme/*@" + cache.old_commit().substr(0, 7)}) {
    INFO(name);
    const json::array results = chosen({name});
    REQUIRE(results.size() == 1);
    REQUIRE(results.at(0).at("revisions").as_array().size() == 1);
    CHECK(text_at(results.at(0).at("revisions").at(0), "commit") == cache.old_commit());
  }
  CHECK(text_at(chosen({"acme/mini@main"}).at(0).at("revisions").at(0), "commit") == cache.commit());
  CHECK(chosen({"acme/mini@main", "acme/mini"}).at(0).at("revisions").as_array().size() == 2);
  CHECK(chosen({"--collection", "timm"}).empty());
  for (const std::vector<std::string>& unknown :
       std::vector<std::vector<std::string>>{{"other/*"}, {"acme/mini@v9"}, {"--collection", "x"}}) {
    std::vector<std::string> all = {"cache", "ls"};
    all.insert(all.end(), unknown.begin(), unknown.end());
    CHECK(cache.run(all).status == 3);
  }

  const fs::path catalog = cache.fixture().cache().parent_path() / "catalog.json";
  write_text(catalog, R"({"schema": 1, "entries": [{"id": "me/mini", "aliases": ["m"], "collection": "mine",
    "task": "classification", "architecture": "swin_tiny_patch4_window7_224", "num_classes": 1000,
    "preprocessing": {"crop_pct": 0.9, "crop_mode": "center", "interpolation": "bicubic",
      "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    "sources": ["hf:acme/mini"], "license": "mit", "dataset": "", "published": []}]})");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"me/*", "--catalog", catalog},
                                             {"m", "--catalog", catalog},
                                             {"--collection", "mine", "--catalog", catalog}}) {
    const json::array results = chosen(arguments);
    REQUIRE(results.size() == 1);
    CHECK(results.at(0).at("entry") == "me/mini");
  }
}

TEST_CASE("cache verify reads every byte and lists all that is wrong") {
  const Cache cache;
  const Result good = cache.run({"cache", "verify", "--json"});
  CHECK(good.status == 0);
  CHECK(good.err.empty());
  CHECK(results_of(good).at(0).at("files") == 3);
  CHECK(results_of(good).at(0).at("size") == 300000 + kConfigs);

  flip_byte(cache.weights_blob(), 123456);
  fs::remove(cache.old_config_blob());
  const Result bad = cache.run({"cache", "verify", "--json"});
  CHECK(bad.status == 5);
  const json::value model = results_of(bad).at(0);
  CHECK(model.at("ok") == false);
  CHECK(model.at("wrong").as_array().size() == 3);  // the weights in both revisions, and the config of one
  const Result text = cache.run({"cache", "verify"});
  CHECK(text.status == 5);
  CHECK_THAT(text.out, Contains("model.safetensors") &&
                           Contains("expected the digest " + sha256_of(cache.fixture().weights())) &&
                           Contains("config.json") && Contains("is missing") && Contains("3 wrong"));
  CHECK(cache.run({"cache", "verify", cache.commit()}).status == 5);

  cache.fetch();  // mends what its revision has
  CHECK(cache.run({"cache", "verify", "acme/mini@main"}).status == 0);
}

TEST_CASE("cache verify finds a link to other bytes") {
  const Cache cache;
  const fs::path pointer = cache.repo() / "snapshots" / cache.commit() / "config.json";
  fs::remove(pointer);
  fs::create_symlink(fs::path("../../blobs") / cache.old_config_blob().filename(), pointer);
  const Result result = cache.run({"cache", "verify"});
  CHECK(result.status == 5);
  CHECK_THAT(result.out, Contains("config.json") && Contains("1 wrong"));
}

TEST_CASE("cache rm takes a revision and leaves what another has") {
  const Cache cache;
  const auto before = paths_in(cache.fixture().cache());
  const Result dry = cache.run({"cache", "rm", cache.old_commit(), "--dry-run", "--json"});
  CHECK(dry.status == 0);
  CHECK(results_of(dry).at(0).at("size") == 49);
  CHECK(results_of(dry).at(0).at("dry_run") == true);
  CHECK(paths_in(cache.fixture().cache()) == before);

  const Result result = cache.run({"cache", "rm", cache.old_commit(), "--json"});
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK(results_of(result).at(0).at("files") == results_of(dry).at(0).at("files"));
  CHECK(as_string(results_of(result).at(0).at("revisions").at(0), "") == cache.old_commit());
  auto expected = before;
  const std::string snapshot = "models--acme--mini/snapshots/" + cache.old_commit();
  for (const std::string& gone :
       {snapshot, snapshot + "/config.json", snapshot + "/model.safetensors",
        "models--acme--mini/trees/" + cache.old_commit() + ".json",
        "models--acme--mini/blobs/" + cache.old_config_blob().filename().string()}) {
    INFO(gone);
    CHECK(expected.erase(gone) == 1);
  }
  CHECK(paths_in(cache.fixture().cache()) == expected);
  CHECK(cache.run({"cache", "verify"}).status == 0);
  CHECK(cache.run({"fetch", kModel, "--offline"}).status == 0);
  CHECK(cache.run({"cache", "rm", cache.old_commit()}).status == 3);
}

TEST_CASE("cache rm takes a whole model") {
  const Cache cache;
  write_text(cache.repo() / "blobs" / (std::string(64, 'a') + ".incomplete"), "some bytes");
  write_text(cache.repo() / ".no_exist" / cache.commit() / "adapter_config.json", "");
  const fs::path dataset = cache.fixture().cache() / "datasets--acme--mini" / "refs" / "main";
  write_text(dataset, cache.commit());
  const Result result = cache.run({"cache", "rm", "acme/*"});
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("removed 2 revisions, 300.1 kB"));
  CHECK_FALSE(fs::exists(cache.repo()));
  CHECK(fs::exists(dataset));
  CHECK(fs::exists(cache.fixture().cache() / ".locks"));
  CHECK_THAT(cache.run({"cache", "ls"}).out, Contains("0 models"));
  CHECK(cache.run({"fetch", kModel, "--offline"}).status == 3);
  CHECK(cache.run({"cache", "rm"}).status == 2);
}

TEST_CASE("cache rm leaves alone what another process uses") {
  const Cache cache;
  SECTION("a blob that hf has locked") {
    const fs::path lock = cache.fixture().cache() / ".locks" / "models--acme--mini" /
                          (cache.weights_blob().filename().string() + ".lock");
    const int fd = ::open(lock.c_str(), O_RDWR);
    REQUIRE(fd >= 0);
    REQUIRE(::flock(fd, LOCK_EX) == 0);
    const Result result = cache.run({"cache", "rm", kModel});
    CHECK(result.status == 1);
    CHECK_THAT(result.err, Contains("another process") && Contains(cache.weights_blob().string()));
    CHECK(fs::exists(cache.weights_blob()));
    ::close(fd);
    CHECK(cache.run({"cache", "rm", kModel}).status == 0);
    CHECK_FALSE(fs::exists(cache.repo()));
  }
  SECTION("a model that is being fetched") {
    write_text(cache.fixture().repo() / "model.safetensors", std::string(2 * 1000 * 1000, 'x'));
    const HubServer slow(cache.fixture().root(), {"--rate", "1000000"});
    auto env = cache.env();
    env["HF_ENDPOINT"] = slow.url();
    Process fetching({SWINZOO_BINARY, "fetch", kModel}, env);
    const fs::path part = cache.weights_blob().string() + ".swinzoo.incomplete";
    for (int i = 0; i < 1000 && !fs::exists(part); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const Result result = cache.run({"cache", "rm", kModel});
    CHECK(result.status == 1);
    CHECK_THAT(result.err, Contains("another process is fetching into it"));
    CHECK(fs::exists(cache.weights_blob().parent_path()));
    CHECK(fetching.wait() == 0);
  }
}

TEST_CASE("cache prune removes what no ref stands for and what is old") {
  const Cache cache;
  const fs::path fresh = cache.repo() / "blobs" / (std::string(64, 'a') + ".incomplete");
  const fs::path old = cache.repo() / "blobs" / (std::string(64, 'b') + ".incomplete");
  const fs::path journal = old.string() + ".journal";
  const fs::path blob = cache.repo() / "blobs" / std::string(64, 'c');
  for (const fs::path& path : {fresh, old, journal, blob}) write_text(path, "some bytes");
  for (const fs::path& path : {old, journal, blob})
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(25));

  const auto before = paths_in(cache.fixture().cache());
  const Result dry = cache.run({"cache", "prune", "--dry-run"});
  CHECK(dry.status == 0);
  CHECK_THAT(dry.out, Contains("would remove 1 revisions") && Contains("(no ref)"));
  CHECK(paths_in(cache.fixture().cache()) == before);

  CHECK(cache.run({"cache", "prune"}).status == 0);
  CHECK(fs::exists(fresh));
  for (const fs::path& path : {old, journal, blob}) CHECK_FALSE(fs::exists(path));
  CHECK_FALSE(fs::exists(cache.repo() / "snapshots" / cache.old_commit()));
  CHECK_FALSE(fs::exists(cache.old_config_blob()));
  CHECK(cache.run({"cache", "verify"}).status == 0);
  CHECK(cache.run({"fetch", kModel, "--offline"}).status == 0);

  CHECK(cache.run({"cache", "prune", "--all"}).status == 0);
  CHECK_FALSE(fs::exists(fresh));
  CHECK(cache.run({"fetch", kModel, "--offline"}).status == 0);
}

TEST_CASE("prune keeps what is needed, however the cache's folder is written") {
  const Cache cache;
  auto env = cache.env();
  const fs::path real = cache.fixture().cache();
  const fs::path link = real.parent_path() / "link";
  fs::create_directory_symlink(real, link);
  for (const std::string& name :
       {real.string() + "/", real.string() + "/../hub", real.string() + "//.", link.string()}) {
    INFO(name);
    env["HF_HUB_CACHE"] = name;
    const Result result = run_swinzoo({"cache", "prune", "--all"}, env);
    INFO(result.err);
    CHECK(result.status == 0);
    CHECK(results_of(run_swinzoo({"cache", "verify", "--json"}, env)).at(0).at("files") == 2);
  }
  CHECK(cache.run({"fetch", kModel, "--offline"}).status == 0);
}

TEST_CASE("cache path tells where a model lies") {
  const Cache cache;
  const Result result = cache.run({"cache", "path", kModel, "hf:acme/mini@" + cache.old_commit()});
  CHECK(result.status == 0);
  const fs::path snapshots = cache.repo() / "snapshots";
  CHECK(result.out ==
        (snapshots / cache.commit()).string() + "\n" + (snapshots / cache.old_commit()).string() + "\n");
  const json::array results = results_of(cache.run({"cache", "path", kModel, "--json"}));
  CHECK(text_at(results.at(0), "checkpoint") == snapshots / cache.commit() / "model.safetensors");
  const Result missing = cache.run({"cache", "path", "hf:acme/other"});
  CHECK(missing.status == 3);
  CHECK_THAT(missing.err, Contains("swinzoo fetch hf:acme/other"));
}

TEST_CASE("our own cache is listed, checked and pruned too") {
  const Cache cache;
  const fs::path root = fs::path(cache.env().at("XDG_CACHE_HOME")) / "swinzoo" / "sources";
  const std::string bytes = "a checkpoint";
  const std::string url = "https://example.org/x.pth";
  write_text(root / "x-1" / "x.pth", bytes);
  write_text(root / "x-1" / "record.json",
             fmt::format(
                 R"({{"schema": 1, "source": "{}", "url": "{}", "etag": "", "fetched": "2026-11-21T16:50:00Z",
                        "file": {{"name": "x.pth", "size": {}, "sha256": "{}"}}, "unpacked": []}})",
                 url, url, bytes.size(), sha256_of(bytes)));
  write_text(root / "y-2" / "y.pth.incomplete", "part");

  const json::array results = results_of(cache.run({"cache", "ls", "--json"}));
  REQUIRE(results.size() == 3);
  CHECK(text_at(results.at(1), "model") == url);
  CHECK(results.at(1).at("size") == bytes.size());
  CHECK(results.at(2).at("model") == "y-2");
  CHECK(results.at(2).at("unfinished").as_array().size() == 1);
  CHECK(results_of(cache.run({"cache", "ls", "*.pth", "--json"})).size() == 1);

  CHECK(cache.run({"cache", "verify", url}).status == 0);
  flip_byte(root / "x-1" / "x.pth", 3);
  const Result wrong = cache.run({"cache", "verify"});
  CHECK(wrong.status == 5);
  CHECK_THAT(wrong.out, Contains("x.pth") && Contains(sha256_of(bytes)));

  CHECK(cache.run({"cache", "prune"}).status == 0);
  CHECK(fs::exists(root / "y-2"));
  CHECK(cache.run({"cache", "prune", "--all"}).status == 0);
  CHECK_FALSE(fs::exists(root / "y-2"));
  CHECK(fs::exists(root / "x-1" / "x.pth"));

  CHECK(cache.run({"cache", "rm", url, "--dry-run"}).status == 0);
  CHECK(fs::exists(root / "x-1"));
  CHECK(cache.run({"cache", "rm", url}).status == 0);
  CHECK_FALSE(fs::exists(root / "x-1"));
}

TEST_CASE("a command line of cache is checked") {
  const HubFixture fixture;
  auto env = fixture.env("http://127.0.0.1:9");
  env["XDG_CACHE_HOME"] = (fixture.cache().parent_path() / "xdg").string();
  CHECK(run_swinzoo({"cache", "ls"}, env).out == "0 models, 0 revisions, 0 B on disk\n");
  const Result unknown = run_swinzoo({"cache", "lss"}, env);
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.err, Contains("did you mean 'ls'?") && Contains("swinzoo cache --help"));
  const Result option = run_swinzoo({"cache", "rm", "--dry-rum", "x"}, env);
  CHECK(option.status == 2);
  CHECK_THAT(option.err, Contains("did you mean '--dry-run'?"));
  CHECK(run_swinzoo({"cache"}, env).status == 2);
  CHECK(run_swinzoo({"cache", "ls", "--sort", "colour"}, env).status == 2);
}
