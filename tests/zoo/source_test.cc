#include "zoo/source.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/environment.h"
#include "tests/error_code.h"
#include "tests/process.h"
#include "zoo/catalog.h"

namespace fs = std::filesystem;
using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

const std::string kDigest = "690df1d03b28e6d1c0e0a4e0f5d8d2a5d1c0e0a4e0f5d8d2a5d1c0e0a4e0f5d8";

}  // namespace

TEST_CASE("sources are read in all their forms") {
  const EnvironmentVariable tfhub("SWINZOO_TFHUB_ENDPOINT", ""), kaggle("KAGGLE_API_ENDPOINT", "");
  const Source handle = parse_source("tfhub:sayakpaul/swin_tiny/1");
  CHECK(handle.kind == SourceKind::kTfHub);
  CHECK(handle.text == "tfhub:sayakpaul/swin_tiny/1");
  CHECK(handle.handle() == "sayakpaul/swin_tiny/1");
  CHECK(handle.file_name() == "swin_tiny.tar.gz");
  CHECK(handle.url() == "https://tfhub.dev/sayakpaul/swin_tiny/1?tf-hub-format=compressed");
  CHECK(handle.auth().user_password.empty());
  CHECK(parse_source("https://tfhub.dev/sayakpaul/swin_tiny/1").text == handle.text);

  const Source model = parse_source("kaggle:google/mobilenet-v3/tensorFlow2/large-075-224/1");
  CHECK(model.kind == SourceKind::kKaggle);
  CHECK(model.file_name() == "large-075-224.tar.gz");
  CHECK(model.url() ==
        "https://www.kaggle.com/api/v1/models/google/mobilenet-v3/tensorFlow2/large-075-224/1/download");
  CHECK(parse_source("https://www.kaggle.com/models/google/mobilenet-v3/tensorFlow2/large-075-224/1").text ==
        model.text);

  const Source url = parse_source("https://me:secret@example.org:8443/a/b%20c.pth?key=1#sha256=" + kDigest);
  CHECK(url.kind == SourceKind::kUrl);
  CHECK(url.url() == "https://me:secret@example.org:8443/a/b%20c.pth?key=1");
  CHECK(url.sha256 == kDigest);
  CHECK(url.for_messages() == "https://example.org:8443/a/b%20c.pth");
  CHECK(url.file_name() == "b_20c.pth");
  CHECK(parse_source("https://example.org/a.pth#part").url() == "https://example.org/a.pth");
  CHECK(parse_source("http://example.org").file_name() == "file-");
  CHECK(parse_source("http://example.org/record.json").file_name() == "file-record.json");
  CHECK(parse_source("http://example.org/unpacked").file_name() == "file-unpacked");
  CHECK(parse_source("http://example.org/..%2f..").file_name() == ".._2f..");

  CHECK(parse_source("hf:acme/mini").kind == SourceKind::kHub);
  CHECK(parse_source("hf:acme/mini@main").text == "hf:acme/mini");
  for (const char* path : {"file:/tmp/x.pth", "/tmp/x.pth"}) {
    CHECK(parse_source(path).kind == SourceKind::kPath);
    CHECK(parse_source(path).path() == "/tmp/x.pth");
  }
}

TEST_CASE("malformed sources are refused") {
  for (const std::string& bad :
       {std::string("tfhub:"), std::string("tfhub:a/1"), std::string("tfhub:a/b/latest"),
        std::string("tfhub:a/../1"), std::string("tfhub:a/b c/1"), std::string("tfhub:a//1"),
        std::string("tfhub:a/b/"), std::string("tfhub:a/b/1?x"), std::string("kaggle:a/b/c/1"),
        std::string("kaggle:a/b/c/d/e"), std::string("https://"),
        std::string("https://example.org/x#sha256=12"),
        "https://example.org/x#sha256=" + std::string(64, 'G'), std::string("hf:acme")}) {
    INFO(bad);
    CHECK(code_of([&] { parse_source(bad); }) == ErrorCode::kUsage);
  }
}

TEST_CASE("every source of the catalog is understood") {
  for (const ModelSpec& entry : Catalog::built_in().entries()) {
    for (const std::string& source : entry.sources) {
      INFO(source);
      CHECK(parse_source(source).kind != SourceKind::kPath);
    }
  }
}

TEST_CASE("Kaggle's credentials come from the variables or its file, for its host alone") {
  const TemporaryFolder home;
  const EnvironmentVariable folder("KAGGLE_CONFIG_DIR", home.path().string());
  const EnvironmentVariable user("KAGGLE_USERNAME", ""), key("KAGGLE_KEY", "");
  const EnvironmentVariable endpoint("KAGGLE_API_ENDPOINT", "http://127.0.0.1:9/");
  const Source model = parse_source("kaggle:a/b/c/d/1");
  CHECK(model.url() == "http://127.0.0.1:9/api/v1/models/a/b/c/d/1/download");
  CHECK(model.auth().user_password.empty());
  std::ofstream(home.path() / "kaggle.json") << R"({"username": "me", "key": "k1"})";
  CHECK(model.auth().user_password == "me:k1");
  CHECK(model.auth().origin == "http://127.0.0.1:9");
  {
    const EnvironmentVariable other("KAGGLE_USERNAME", "you");
    CHECK(model.auth().user_password == "me:k1");
    const EnvironmentVariable with_key("KAGGLE_KEY", "k2");
    CHECK(model.auth().user_password == "you:k2");
  }
  std::ofstream(home.path() / "kaggle.json") << R"({"username": "me"})";
  CHECK(code_of([&] { model.auth(); }) == ErrorCode::kCorrupt);
  const EnvironmentVariable wrong("KAGGLE_API_ENDPOINT", "ftp://example.org");
  CHECK(code_of([&] { model.url(); }) == ErrorCode::kUsage);
}

TEST_CASE("mirrors replace the start of a URL") {
  const EnvironmentVariable mirrors(
      "SWINZOO_MIRRORS", "https://github.com/acme/=http://127.0.0.1:9/a/  https://github.com/=https://mirror/b=c/");
  CHECK(parse_source("https://github.com/acme/x.pth").url() == "http://127.0.0.1:9/a/x.pth");
  CHECK(parse_source("https://github.com/other/x.pth").url() == "https://mirror/b=c/other/x.pth");
  CHECK(parse_source("https://example.org/x.pth").url() == "https://example.org/x.pth");
  for (const char* bad : {"https://a/", "https://a/=ftp://b/", "a=https://b/", "=https://b/", "https://a/=http"}) {
    const EnvironmentVariable wrong("SWINZOO_MIRRORS", bad);
    INFO(bad);
    CHECK(code_of([] { parse_source("https://github.com/x").url(); }) == ErrorCode::kUsage);
  }
}

TEST_CASE("tensorflow_hub's cache is found by the handle's SHA-1") {
  const TemporaryFolder cache;
  const EnvironmentVariable folder("TFHUB_CACHE_DIR", cache.path().string());
  // hashlib.sha1(b"https://tfhub.dev/google/universal-sentence-encoder/4").hexdigest()
  const fs::path model = cache.path() / "063d866c06683311b44b4992fd46003be952409c";
  const Source source = parse_source("tfhub:google/universal-sentence-encoder/4");
  CHECK_FALSE(find_in_tfhub_cache(source));
  fs::create_directories(model);
  CHECK_FALSE(find_in_tfhub_cache(source));
  std::ofstream(model / "saved_model.pb") << "x";
  CHECK(find_in_tfhub_cache(source) == model);
  CHECK_FALSE(find_in_tfhub_cache(parse_source("tfhub:google/universal-sentence-encoder/3")));
  CHECK_FALSE(find_in_tfhub_cache(parse_source("https://example.org/x.tar.gz")));
  {
    const EnvironmentVariable by_default("TFHUB_CACHE_DIR", ""), tmp("TMPDIR", cache.path().string());
    CHECK_FALSE(find_in_tfhub_cache(source));
    fs::create_directories(cache.path() / "tfhub_modules");
    fs::rename(model, cache.path() / "tfhub_modules" / model.filename());
    CHECK(find_in_tfhub_cache(source) == cache.path() / "tfhub_modules" / model.filename());
  }
}
