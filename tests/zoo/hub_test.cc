#include "zoo/hub.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>

#include "formats/error.h"
#include "tests/process.h"
#include "tests/text_files.h"
#include "zoo/blob.h"
#include "zoo/hf_cache.h"
#include "zoo/http.h"
#include "zoo/hub_settings.h"
#include "zoo/model_source.h"

namespace fs = std::filesystem;
using namespace swinzoo;
using namespace swinzoo::zoo;
using Catch::Matchers::Contains;

namespace {

using Variables = std::map<std::string, std::string>;

// Sets variables for a test, and puts back what was there.
class Environment {
 public:
  explicit Environment(const Variables& values) {
    for (const auto& [name, value] : values) {
      const char* before = std::getenv(name.c_str());
      before_[name] = before != nullptr ? std::optional<std::string>(before) : std::nullopt;
      ::setenv(name.c_str(), value.c_str(), 1);
    }
  }
  ~Environment() {
    for (const auto& [name, value] : before_) {
      if (value) ::setenv(name.c_str(), value->c_str(), 1);
      if (!value) ::unsetenv(name.c_str());
    }
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

const Variables kNoSettings = {{"HF_HOME", ""},
                               {"HF_HUB_CACHE", ""},
                               {"HUGGINGFACE_HUB_CACHE", ""},
                               {"XDG_CACHE_HOME", ""},
                               {"HF_ENDPOINT", ""},
                               {"HF_TOKEN", ""},
                               {"HF_TOKEN_PATH", ""},
                               {"HF_HUB_OFFLINE", ""},
                               {"HOME", "/home/me"},
                               {"HF_HUB_DOWNLOAD_TIMEOUT", ""},
                               {"SWINZOO_HF_HOME", ""},
                               {"SWINZOO_HF_ENDPOINT", ""},
                               {"SWINZOO_HF_HUB_CACHE", ""}};

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode{0};
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

const std::string kCommit(40, 'a');

}  // namespace

TEST_CASE("a reference to the hub is read and written") {
  const HubRef plain = parse_hub_ref("hf:timm/swin_tiny_patch4_window7_224.ms_in1k");
  CHECK(plain.repo == "timm/swin_tiny_patch4_window7_224.ms_in1k");
  CHECK(plain.revision == "main");
  CHECK(plain.text() == "hf:timm/swin_tiny_patch4_window7_224.ms_in1k");
  const HubRef pull = parse_hub_ref("hf:microsoft/swin-base@refs/pr/1");
  CHECK(pull.revision == "refs/pr/1");
  CHECK(pull.text() == "hf:microsoft/swin-base@refs/pr/1");
  for (const char* bad :
       {"timm/swin", "hf:swin", "hf:a/b/c", "hf:/b", "hf:a/", "hf:a--b/c", "hf:a/b..c", "hf:.a/b",
        "hf:a/b.git", "hf:a/b-", "hf:a/b c", "hf:a/b@", "hf:a/b@../c", "hf:a/b@/c", "hf:a/b@x\ny"}) {
    INFO(bad);
    CHECK(code_of([&] { parse_hub_ref(bad); }) == ErrorCode::kUsage);
  }
}

TEST_CASE("the hub's settings come from hf's variables") {
  const Environment empty(kNoSettings);
  CHECK(hub_cache_root() == "/home/me/.cache/huggingface/hub");
  CHECK(hub_endpoint() == "https://huggingface.co");
  CHECK_FALSE(hub_offline());
  CHECK_FALSE(hub_token());
  const Environment xdg(Variables{{"XDG_CACHE_HOME", "/x"}});
  CHECK(hub_cache_root() == "/x/huggingface/hub");
  CHECK(user_cache_root() == "/x");
  const Environment home(Variables{{"HF_HOME", "~/hf"}});
  CHECK(hub_cache_root() == "/home/me/hf/hub");
  const Environment cache(Variables{{"HF_HUB_CACHE", "/cache"}});
  CHECK(hub_cache_root() == "/cache");
  const Environment ours(Variables{{"SWINZOO_HF_HUB_CACHE", "/ours"}});
  CHECK(hub_cache_root() == "/ours");
  const Environment others(
      {{"HF_ENDPOINT", "http://127.0.0.1:1/"}, {"HF_HUB_OFFLINE", "Yes"}, {"HF_TOKEN", " t\n"}});
  CHECK(hub_endpoint() == "http://127.0.0.1:1");
  CHECK(hub_offline());
  CHECK(hub_token() == "t");
  CHECK(hub_download_timeout() == std::chrono::seconds(30));
  {
    const Environment timeout(Variables{{"HF_HUB_DOWNLOAD_TIMEOUT", "5"}});
    CHECK(hub_download_timeout() == std::chrono::seconds(5));
  }
  for (const char* bad : {"0", "-1", "5s", "1e3", "86401"}) {
    const Environment timeout(Variables{{"HF_HUB_DOWNLOAD_TIMEOUT", bad}});
    CHECK(code_of([] { hub_download_timeout(); }) == ErrorCode::kUsage);
  }
  const Environment wrong(Variables{{"HF_ENDPOINT", "ftp://example.org"}});
  CHECK(code_of([] { hub_endpoint(); }) == ErrorCode::kUsage);
}

TEST_CASE("URLs are joined and compared and stripped of secrets") {
  CHECK(resolve_url("http://h:1/a/b?c", "/d") == "http://h:1/d");
  CHECK(resolve_url("http://h:1/a/b", "https://cdn/x?y") == "https://cdn/x?y");
  CHECK_FALSE(resolve_url("http://h/a", "file:///etc/passwd"));
  CHECK_FALSE(resolve_url("http://h/a", ""));
  CHECK(origin_of("https://Hub.example/a") == "https://hub.example:443");
  CHECK(origin_of("https://hub.example:443/b") == origin_of("https://hub.example"));
  CHECK(origin_of("http://hub.example") != origin_of("https://hub.example"));
  CHECK(origin_of("http://hub.example:8080") != origin_of("http://hub.example"));
  CHECK(url_for_messages("https://me:pass@h/a?Signature=s#f") == "https://h/a");
  CHECK(percent_encode("refs/pr/1", false) == "refs%2Fpr%2F1");
  CHECK(percent_encode("a b/c+d.bin", true) == "a%20b/c%2Bd.bin");
}

TEST_CASE("blob names are git's SHA-1 or SHA-256") {
  BlobDigest git("ce013625030ba8dba906f756967f9e9ca394464a", 6);  // git hash-object, of "hello\n"
  git.update(bytes_of("hello\n"));
  CHECK(git.matches());
  git.restart();
  git.update(bytes_of("hellO\n"));
  CHECK_FALSE(git.matches());
  BlobDigest sha256("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", 6);
  sha256.update(bytes_of("hel"));
  sha256.update(bytes_of("lo\n"));
  CHECK(sha256.matches());
  CHECK_FALSE(BlobDigest::is_blob_name("../../../etc/passwd"));
  CHECK_FALSE(BlobDigest::is_blob_name(std::string(40, 'A')));
  CHECK_FALSE(BlobDigest::is_blob_name(""));
}

TEST_CASE("names that lead out of the cache are refused") {
  const TemporaryFolder folder;
  const HfRepoCache cache(folder.path(), "acme/mini");
  const std::string etag = "ce013625030ba8dba906f756967f9e9ca394464a";
  const auto store = [&](const RemoteFile& file) -> bool {
    const auto fetch = [](const std::vector<DownloadRequest>& requests) {
      for (const DownloadRequest& request : requests) write_text(request.target, "hello\n");
    };
    return cache.store(kCommit, std::span(&file, 1), fetch, {}).front();
  };
  for (const char* path : {"../x", "/x", "a/../../x", "", "a//b", "./x"}) {
    INFO(path);
    CHECK(code_of([&] { store({path, 6, etag, "", ""}); }) == ErrorCode::kCorrupt);
  }
  CHECK(code_of([&] { store({"x", 6, "../x", "", ""}); }) == ErrorCode::kCorrupt);
  CHECK(fs::is_empty(folder.path()));
  CHECK_FALSE(cache.commit_of("../../x"));

  CHECK(store({"in/a/folder", 6, etag, "", ""}));
  CHECK_FALSE(store({"in/a/folder", 6, etag, "", ""}));
  CHECK(fs::read_symlink(cache.snapshot(kCommit) / "in/a/folder") == "../../../../blobs/" + etag);
}

TEST_CASE("two files with the same bytes are fetched once") {
  const TemporaryFolder folder;
  const HfRepoCache cache(folder.path(), "acme/mini");
  const std::string etag = "ce013625030ba8dba906f756967f9e9ca394464a";
  const std::vector<RemoteFile> files = {{"a", 6, etag, "", ""}, {"b", 6, etag, "", ""}};
  size_t asked = 0;
  const auto fetch = [&](const std::vector<DownloadRequest>& requests) {
    asked += requests.size();
    write_text(requests.at(0).target, "hello\n");
  };
  CHECK(cache.store(kCommit, files, fetch, {}) == std::vector<bool>{false, true});
  CHECK(asked == 1);
  CHECK(cache.holds(kCommit, files[0], {}));
  CHECK(cache.holds(kCommit, files[1], {}));
}

TEST_CASE("a list of files is read back as it was written") {
  const TemporaryFolder folder;
  const HfRepoCache cache(folder.path(), "acme/mini");
  CHECK_FALSE(cache.read_tree(kCommit));
  cache.write_tree(kCommit, {{"b \"q\"", 7, "1", "2", "3"}, {"a", 0, "4", "", ""}});
  const auto files = cache.read_tree(kCommit).value();
  REQUIRE(files.size() == 2);
  CHECK(files[0].path == "a");
  CHECK(files[1].path == "b \"q\"");
  CHECK(files[1].size == 7);
  CHECK(files[1].etag() == "2");
  CHECK(files[1].xet_hash == "3");
  for (const char* damaged : {"", "{", "[]", "{\"format_version\": 2, \"files\": {}}",
                              "{\"format_version\": 1, \"files\": {\"a\": {}}}"}) {
    write_text(folder.path() / "models--acme--mini" / "trees" / (kCommit + ".json"), damaged);
    CHECK_FALSE(cache.read_tree(kCommit));
  }
}

TEST_CASE("the weights of a folder are chosen in hf's order") {
  const TemporaryFolder folder;
  CHECK_FALSE(find_model_in(folder.path() / "none"));
  CHECK_FALSE(find_model_in(folder.path()));
  write_text(folder.path() / "a.pth", "");
  CHECK(find_model_in(folder.path())->weights == "a.pth");
  write_text(folder.path() / "b.pth", "");
  CHECK(code_of([&] { find_model_in(folder.path()); }) == ErrorCode::kUnsupported);
  write_text(folder.path() / "other.safetensors", "");
  CHECK(find_model_in(folder.path())->weights == "other.safetensors");
  write_text(folder.path() / "pytorch_model.bin", "");
  CHECK(find_model_in(folder.path())->weights == "pytorch_model.bin");
  fs::remove(folder.path() / "pytorch_model.bin");
  write_text(folder.path() / "pytorch_model.bin.index.json",
             R"({"weight_map": {"x": "pytorch_model-1.bin"}})");
  CHECK(find_model_in(folder.path())->missing == std::vector<std::string>{"pytorch_model-1.bin"});
  write_text(folder.path() / "pytorch_model.bin", "");
  CHECK(find_model_in(folder.path())->weights == "pytorch_model.bin");
  write_text(folder.path() / "model.safetensors.index.json",
             R"({"weight_map": {"x": "model-1.safetensors", "y": "model-2.safetensors"}})");
  write_text(folder.path() / "model-1.safetensors", "");
  CHECK(find_model_in(folder.path())->missing == std::vector<std::string>{"model-2.safetensors"});
  write_text(folder.path() / "model-2.safetensors", "");
  CHECK(find_model_in(folder.path())->names == std::vector<std::string>{"model.safetensors.index.json",
                                                                        "model-1.safetensors",
                                                                        "model-2.safetensors"});
  write_text(folder.path() / "model.safetensors", "");
  write_text(folder.path() / "config.json", "{}");
  CHECK(find_model_in(folder.path())->names == std::vector<std::string>{"config.json", "model.safetensors"});
}

TEST_CASE("models are resolved from paths and the cache and a row's sources") {
  const TemporaryFolder folder;
  const Environment empty(kNoSettings);
  const Environment cache(Variables{{"HF_HUB_CACHE", folder.path().string()}});
  const fs::path repo = folder.path() / "models--acme--mini";
  CHECK(code_of([] { resolve_model_files("hf:acme/mini", {}); }) == ErrorCode::kNotFound);
  CHECK_THROWS_WITH(resolve_model_files("hf:acme/mini", {}), Contains("swinzoo fetch hf:acme/mini"));
  CHECK_THROWS_WITH(resolve_model_files("mini", {"hf:acme/mini"}), Contains("swinzoo fetch mini"));

  write_text(repo / "refs" / "main", kCommit);
  write_text(repo / "snapshots" / kCommit / "config.json", "{}");
  CHECK(code_of([] { resolve_model_files("hf:acme/mini", {}); }) == ErrorCode::kNotFound);
  write_text(repo / "snapshots" / kCommit / "model.safetensors", "x");
  const ModelFiles files = resolve_model_files("mini", {"tfhub:acme/mini/1", "hf:acme/none", "hf:acme/mini"});
  CHECK(files.checkpoint == repo / "snapshots" / kCommit / "model.safetensors");
  CHECK(files.config == repo / "snapshots" / kCommit / "config.json");
  CHECK_FALSE(files.preprocessor_config);
  CHECK(files.origin == "hf:acme/mini at " + kCommit);
  CHECK(resolve_model_files("hf:acme/mini@" + kCommit, {}).checkpoint == files.checkpoint);

  for (const fs::path& path : {files.checkpoint, files.checkpoint.parent_path()}) {
    CHECK(resolve_model_files(path.string(), {}).config == files.config);
    CHECK(resolve_model_files("file:" + path.string(), {}).checkpoint == files.checkpoint);
  }
  CHECK(code_of([] { resolve_model_files("/no/such/file", {}); }) == ErrorCode::kNotFound);
  CHECK(code_of([&] { resolve_model_files(repo.string(), {}); }) == ErrorCode::kNotFound);
  CHECK(code_of([] { resolve_model_files("mini", {"tfhub:acme/mini/1"}); }) == ErrorCode::kNotFound);
  CHECK_THROWS_WITH(resolve_model_files("https://example.org/x.pth", {}), Contains("swinzoo fetch https://"));
  CHECK(code_of([] { resolve_model_files("tfhub:acme/mini", {}); }) == ErrorCode::kUsage);
}
