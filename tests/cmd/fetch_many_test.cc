// `swinzoo fetch` of collections, by globs, without fetching (--dry-run), and by a lock file: the real binary
// against a hub on loopback.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "formats/json.h"
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

// A row of a catalog.
json::object row(const std::string& id, const std::string& collection, const std::string& source) {
  json::value row = parse_json(R"({"aliases": [], "task": "classification", "architecture":
    "swin_tiny_patch4_window7_224", "num_classes": 1000, "preprocessing": {"crop_pct": 0.9, "crop_mode": "center",
    "interpolation": "bicubic", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}, "license": "mit",
    "dataset": "", "published": []})",
                               "row");
  row.as_object()["id"] = id;
  row.as_object()["collection"] = collection;
  row.as_object()["sources"] = json::array{source};
  return row.as_object();
}

// acme/mini and acme/second, with a catalog whose collection "acme" they are.
class Zoo {
 public:
  explicit Zoo(size_t size = 300 * 1000) : fixture_(size) {
    fs::copy(fixture_.repo(), fixture_.root() / "acme" / "second", fs::copy_options::recursive);
    json::object document{{"schema", 1}};
    document["entries"] =
        json::array{row("me/mini", "acme", "hf:acme/mini"), row("me/second", "acme", "hf:acme/second"),
                    row("me/other", "others", "hf:acme/none")};
    write_text(catalog(), to_pretty_json(document));
  }

  fs::path home() const { return fixture_.cache().parent_path(); }
  fs::path catalog() const { return home() / "catalog.json"; }
  fs::path lock_file() const { return home() / "swinzoo.lock"; }
  const HubFixture& fixture() const { return fixture_; }
  fs::path weights_blob() const { return fixture_.cached_repo() / "blobs" / sha256_of(fixture_.weights()); }

  Result run(const HubServer& server, const std::vector<std::string>& arguments) const {
    return run_at(server.url(), arguments);
  }
  Result run_at(const std::string& url, const std::vector<std::string>& arguments) const {
    return run_swinzoo(arguments, env(url));
  }
  std::map<std::string, std::string> env(const std::string& url) const {
    auto env = fixture_.env(url);
    env["XDG_CACHE_HOME"] = (home() / "xdg").string();
    env["SWINZOO_CATALOG"] = catalog().string();
    return env;
  }

 private:
  HubFixture fixture_;
};

// A member that is a text.
std::string text_at(const json::value& object, const char* key) { return as_string(object.at(key), key); }

std::vector<std::string> file_names(const json::value& result) {
  std::vector<std::string> names;
  for (const json::value& file : result.at("files").as_array())
    names.push_back(as_string(file.at("name"), "name"));
  return names;
}

size_t count_of(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a collection is fetched with a line an entry, and only what is missing again") {
  const Zoo zoo;
  const HubServer server(zoo.fixture().root());
  const Result first = zoo.run(server, {"fetch", "--collection", "acme"});
  INFO(first.err);
  CHECK(first.status == 0);
  CHECK(count_of(first.out, "\n") == 3);
  CHECK_THAT(first.out, Contains("me/mini    downloaded") && Contains("me/second  downloaded") &&
                            Contains("2 models: 2 downloaded (600.1 kB), 0 present, 0 failed"));
  const uint64_t sent = server.file_bytes();

  fs::remove_all(zoo.fixture().cache() / "models--acme--second");
  const Result again = zoo.run(server, {"fetch", "--collection", "acme"});
  CHECK(again.status == 0);
  CHECK_THAT(again.out, Contains("me/mini    present") && Contains("me/second  downloaded") &&
                            Contains("1 downloaded (300.0 kB), 1 present, 0 failed"));
  CHECK(server.file_bytes() == sent + sent / 2);
}

TEST_CASE("an entry that fails does not stop its collection and is told by the status") {
  const Zoo zoo;
  fs::remove_all(zoo.fixture().root() / "acme" / "mini");
  const HubServer server(zoo.fixture().root());
  const Result result = zoo.run(server, {"fetch", "--collection", "acme"});
  CHECK(result.status == 1);
  CHECK_THAT(result.out, Contains("me/mini    failed") && Contains("status 3") &&
                             Contains("me/second  downloaded") &&
                             Contains("2 models: 1 downloaded (300.0 kB), 0 present, 1 failed"));
  CHECK_THAT(result.err, Contains("no such repository"));
  const json::array results = results_of(zoo.run(server, {"fetch", "--collection", "acme", "--json"}));
  REQUIRE(results.size() == 2);
  CHECK(results.at(0).at("ok") == false);
  CHECK(results.at(1).at("ok") == true);
  CHECK(zoo.run(server, {"fetch", "--collection", "acne"}).status == 3);
}

TEST_CASE("a dry run tells what would come and asks for no byte of it") {
  const Zoo zoo;
  const HubServer server(zoo.fixture().root());
  const Result before = zoo.run(server, {"fetch", kModel, "--dry-run"});
  INFO(before.err);
  CHECK(before.status == 0);
  CHECK_THAT(before.out, Contains("model.safetensors        300000  to download  " + server.url() +
                                  "/acme/mini/resolve/") &&
                             Contains("1 models: 1 to download (300.0 kB), 0 present, 0 failed"));
  CHECK(server.file_bytes() == 0);
  CHECK_FALSE(fs::exists(zoo.fixture().cache()));

  REQUIRE(zoo.run(server, {"fetch", kModel}).status == 0);
  fs::remove(zoo.weights_blob());
  const json::value result = results_of(zoo.run(server, {"fetch", kModel, "--dry-run", "--json"})).at(0);
  CHECK(result.at("dry_run") == true);
  CHECK(text_at(result, "commit") == read_text(zoo.fixture().cached_repo() / "refs" / "main"));
  CHECK(result.at("files").at(0).at("state") == "cached");
  CHECK(result.at("files").at(1).at("state") == "to download");
  CHECK(result.at("files").at(1).at("size") == 300000);
  CHECK_FALSE(fs::exists(zoo.weights_blob()));
  CHECK_THAT(zoo.run(server, {"fetch", "--collection", "acme", "--dry-run"}).out,
             Contains("me/mini    to download") && Contains("2 models: 2 to download"));
  CHECK(zoo.run(server, {"fetch", "hf:acme/none", "--dry-run"}).status == 3);
}

TEST_CASE("a dry run counts the shards of an index that it has not read") {
  const Zoo zoo;
  const fs::path repo = zoo.fixture().repo();
  fs::remove(repo / "model.safetensors");
  write_text(repo / "model.safetensors.index.json", R"({"weight_map": {"x": "model-1.safetensors"}})");
  write_text(repo / "model-1.safetensors", "one");
  const HubServer server(zoo.fixture().root());
  const auto planned = [&] {
    return file_names(results_of(zoo.run(server, {"fetch", kModel, "--dry-run", "--json"})).at(0));
  };
  const std::vector<std::string> expected = {"config.json", "model.safetensors.index.json",
                                             "model-1.safetensors"};
  CHECK(planned() == expected);
  CHECK(server.file_bytes() == 0);
  REQUIRE(zoo.run(server, {"fetch", kModel}).status == 0);
  CHECK(planned() == expected);
}

TEST_CASE("files are chosen by globs as hf download has them") {
  const Zoo zoo;
  const HubServer server(zoo.fixture().root());
  const auto names = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"fetch", kModel, "--dry-run", "--json"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return file_names(results_of(zoo.run(server, all)).at(0));
  };
  using Names = std::vector<std::string>;
  CHECK(names({"--include", "*.txt"}) == Names{"logs/train.txt"});
  CHECK(names({"--include", "logs/"}) == Names{"logs/train.txt"});
  CHECK(names({"--include", "*.md", "--include", "*.json"}) == Names{"README.md", "config.json"});
  CHECK(names({"--exclude", "*.safetensors"}) == Names{"README.md", "config.json", "logs/train.txt"});
  CHECK(names({"--include", "*.json", "--include", "*.md", "--exclude", "R*"}) == Names{"config.json"});

  const Result result = zoo.run(server, {"fetch", kModel, "--include", "*.txt", "--json"});
  INFO(result.err);
  CHECK(result.status == 0);
  const std::string commit = as_string(results_of(result).at(0).at("commit"), "commit");
  CHECK(read_text(zoo.fixture().cached_repo() / "snapshots" / commit / "logs" / "train.txt") == "loss 0.1\n");
  CHECK(server.file_bytes() == 9);
  CHECK(zoo.run_at("http://127.0.0.1:9", {"fetch", kModel, "--include", "*.txt", "--offline"}).status == 0);
  CHECK(zoo.run_at("http://127.0.0.1:9", {"fetch", kModel, "--include", "*.md", "--offline"}).status == 3);
  CHECK(zoo.run_at("http://127.0.0.1:9", {"fetch", kModel, "--offline"}).status == 3);
  const Result none = zoo.run(server, {"fetch", kModel, "--include", "*.gguf"});
  CHECK(none.status == 3);
  CHECK_THAT(none.err, Contains("*.gguf"));
}

TEST_CASE("a lock file holds what was fetched and is the same text again") {
  const Zoo zoo;
  const HubServer server(zoo.fixture().root());
  const std::string file = zoo.lock_file();
  const Result result = zoo.run(server, {"lock", "me/mini", "-o", file});
  INFO(result.err);
  REQUIRE(result.status == 0);
  const std::string text = read_text(file);
  const json::value lock = parse_json(text, "lock");
  const json::value& entry = lock.at("entries").at(0);
  CHECK(entry.at("entry") == "me/mini");
  CHECK(entry.at("source") == kModel);
  CHECK(entry.at("license") == "mit");
  const std::string commit = read_text(zoo.fixture().cached_repo() / "refs" / "main");
  CHECK(text_at(entry, "commit") == commit);
  const json::value& weights = entry.at("files").at(1);
  CHECK(weights.at("name") == "model.safetensors");
  CHECK(weights.at("size") == 300000);
  CHECK(text_at(weights, "sha256") == sha256_of(zoo.fixture().weights()));
  CHECK(text_at(weights, "url") ==
        "https://huggingface.co/acme/mini/resolve/" + commit + "/model.safetensors");

  CHECK(zoo.run(server, {"lock", "-o", file, "--offline"}).status == 0);
  CHECK(read_text(file) == text);
  CHECK(zoo.run(server, {"lock", "me/second", "-o", file}).status == 0);
  CHECK(parse_json(read_text(file), "lock").at("entries").as_array().size() == 2);
  fs::remove(file);
  CHECK(zoo.run(server, {"lock", "-o", file}).status == 0);  // all that is fetched
  CHECK(parse_json(read_text(file), "lock").at("entries").as_array().size() == 2);
  CHECK(zoo.run(server, {"lock", (zoo.fixture().repo() / "model.safetensors").string(), "-o", file}).status ==
        2);
  const std::string before = read_text(file);
  CHECK(zoo.run(server, {"lock", "me/mini", "me/other", "-o", file}).status == 3);
  CHECK(read_text(file) == before);
}

TEST_CASE("fetch --locked takes the locked commit, whatever main is by now") {
  const Zoo zoo;
  const std::string file = zoo.lock_file();
  std::string commit;
  {
    const HubServer server(zoo.fixture().root());
    REQUIRE(zoo.run(server, {"lock", "me/mini", "me/second", "-o", file}).status == 0);
    commit = read_text(zoo.fixture().cached_repo() / "refs" / "main");
  }
  // From the cache alone.
  CHECK(zoo.run_at("http://127.0.0.1:9", {"fetch", "--locked", "--lock-file", file, "--offline"}).status ==
        0);
  CHECK(zoo.run_at("http://127.0.0.1:9", {"fetch", "--locked", "--lock-file", file}).status == 0);

  fs::remove_all(zoo.fixture().cache());
  const HubServer mirror(zoo.fixture().root());
  const Result fresh = zoo.run(mirror, {"fetch", "--locked", "--lock-file", file, "--json"});
  INFO(fresh.err);
  CHECK(fresh.status == 0);
  REQUIRE(results_of(fresh).size() == 2);
  CHECK(text_at(results_of(fresh).at(0), "commit") == commit);

  write_text(zoo.fixture().repo() / "README.md", "Another text.\n");  // makes another commit
  CHECK(zoo.run(mirror, {"fetch", "--locked", "--lock-file", file, "me/mini"}).status == 0);
  fs::remove_all(zoo.fixture().cache());
  CHECK(zoo.run(mirror, {"fetch", "--locked", "--lock-file", file, "me/mini"}).status ==
        3);  // the hub has it no more
  CHECK(zoo.run(mirror, {"fetch", "--locked", "--lock-file", file, "me/second"}).status == 0);
  const Result unknown = zoo.run(mirror, {"fetch", "--locked", "--lock-file", file, "me/other"});
  CHECK(unknown.status == 3);
  CHECK_THAT(unknown.err, Contains("swinzoo lock me/other"));
  CHECK(zoo.run(mirror, {"fetch", "--locked", "--lock-file", file + ".gone"}).status == 3);
  CHECK(zoo.run(mirror, {"fetch", "--locked", "--lock-file", file, "--revision", "x", "me/mini"}).status ==
        2);
}

TEST_CASE("fetch --locked refuses bytes of another digest") {
  const Zoo zoo;
  const HubServer server(zoo.fixture().root());
  const std::string file = zoo.lock_file();
  REQUIRE(zoo.run(server, {"lock", "me/mini", "-o", file}).status == 0);
  const std::string good = read_text(file);
  const std::string name = GENERATE("config.json", "model.safetensors");
  INFO(name);
  const std::string digest = sha256_of(read_text(zoo.fixture().repo() / name));
  std::string text = good;
  text.replace(text.find(digest), 4, digest.starts_with("0000") ? "1111" : "0000");
  write_text(file, text);
  for (const bool cached : {true, false}) {
    if (!cached) fs::remove_all(zoo.fixture().cache());
    const Result result = zoo.run(server, {"fetch", "--locked", "--lock-file", file});
    CHECK(result.status == 5);
    CHECK_THAT(result.err, Contains(name) && Contains("lock"));
  }
}

TEST_CASE("with the digests of blocks only bad ones are fetched again") {
  constexpr size_t kBlock = 16 * 1024 * 1024;
  const Zoo zoo(2 * kBlock + 1000);
  const HubServer server(zoo.fixture().root());
  const std::string file = zoo.lock_file();
  REQUIRE(zoo.run(server, {"lock", "me/mini", "-o", file}).status == 0);
  const uint64_t sent = server.file_bytes();
  std::fstream(zoo.weights_blob(), std::ios::in | std::ios::out | std::ios::binary)
      .seekp(kBlock + 5)
      .put('!')
      .put('?');
  REQUIRE(read_text(zoo.weights_blob()) != zoo.fixture().weights());
  const Result result = zoo.run(server, {"fetch", "--locked", "--lock-file", file});
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK(read_text(zoo.weights_blob()) == zoo.fixture().weights());
  CHECK(server.file_bytes() - sent <= kBlock);
}

TEST_CASE("a command line of fetch is checked") {
  const Zoo zoo;
  const std::string url = "http://127.0.0.1:9";
  CHECK(zoo.run_at(url, {"fetch"}).status == 2);
  CHECK(zoo.run_at(url, {"fetch", kModel, "-j", "0"}).status == 2);
  CHECK(zoo.run_at(url, {"fetch", kModel, "--lock-file", "x"}).status == 2);
  CHECK(zoo.run_at(url, {"fetch", kModel, "--locked", "--dry-run"}).status == 2);
  CHECK(zoo.run_at(url, {"fetch", "--include", "*", zoo.fixture().repo()}).status == 2);
}

TEST_CASE("on a terminal there is a bar a file and one for all, and they are wiped") {
  const char* script = "/usr/bin/script";  // util-linux: runs a command on a terminal of its own
  if (!fs::exists(script)) return;
  const Zoo zoo(3 * 1000 * 1000);
  write_text(zoo.fixture().repo() / "preprocessor_config.json", "{}\n");
  const HubServer server(zoo.fixture().root(), {"--rate", "2000000"});
  auto env = zoo.env(server.url());
  env["TERM"] = "xterm";
  env["BINARY"] = SWINZOO_BINARY;
  const auto shown = [&](const std::string& command) {
    Process process({script, "-qec", command, "/dev/null"}, env);
    CHECK(process.wait() == 0);
    return process.out();
  };
  const std::string bars = shown("\"$BINARY\" fetch hf:acme/mini");
  CHECK_THAT(bars, Contains("model.safetensors") && Contains("B/s") && Contains("left") &&
                       Contains("3.0 MB") && Contains("\x1b[J") && Contains("all "));
  CHECK(bars.rfind("B/s") < bars.rfind("\x1b[J"));
  fs::remove_all(zoo.fixture().cache());
  CHECK_THAT(shown("\"$BINARY\" -q fetch hf:acme/mini"), !Contains("B/s"));
}
