#include "zoo/download.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "formats/error.h"
#include "formats/sha256.h"
#include "tests/hub_server.h"
#include "tests/text_files.h"

namespace fs = std::filesystem;
using namespace swinzoo;
using namespace swinzoo::zoo;
using Catch::Matchers::Contains;

namespace {

constexpr size_t kSize = 20 * 1000 * 1000;  // bytes: two blocks of a lock file, several connections

// A file of a hub that is asked for as any server would be: nothing is known of it but its URL.
struct Plain {
  explicit Plain(const std::vector<std::string>& options = {}, size_t size = kSize)
      : fixture(size), server(fixture.root(), options) {
    request.url = server.url() + "/acme/mini/resolve/main/model.safetensors";
    request.target = folder.path() / "x";
  }
  std::string unfinished() const { return request.target.string() + ".incomplete"; }
  std::string bytes() const { return read_text(request.target); }

  HubFixture fixture;
  HubServer server;
  TemporaryFolder folder;
  DownloadRequest request;
};

ErrorCode code_of(const DownloadRequest& request) {
  try {
    download(request, {});
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode{0};
}

}  // namespace

TEST_CASE("a URL of which nothing is known is downloaded and its digest told") {
  const Plain plain({}, GENERATE(size_t{0}, size_t{1}, size_t{300000}, kSize));
  const Downloaded got = download(plain.request, {});
  const std::string text = plain.fixture.weights();
  CHECK(plain.bytes() == text);
  CHECK(got.size == text.size());
  CHECK(got.sha256 == sha256_of(text));
  CHECK(got.etag == got.sha256.substr(0, 32));
  CHECK(got.fetched == text.size());
  CHECK_THAT(got.url, Contains("/repos/acme/mini/") && !Contains("Signature"));
  CHECK(std::distance(fs::directory_iterator(plain.folder.path()), {}) == 1);
}

TEST_CASE("several files come at once and results are in the order of the requests") {
  const Plain plain;
  std::vector<DownloadRequest> requests = {plain.request, plain.request};
  requests[1].url = plain.server.url() + "/acme/mini/resolve/main/config.json";
  requests[1].target = plain.folder.path() / "y";
  size_t told = 0;
  TransferOptions options;
  options.progress = [&](const DownloadRequest& request, uint64_t done, uint64_t total) {
    told += &request == &requests[0] && done == total && total == kSize;
  };
  const auto got = download(requests, options);
  CHECK(got[0].sha256 == sha256_of(plain.fixture.weights()));
  CHECK(got[1].size == fs::file_size(plain.fixture.repo() / "config.json"));
  CHECK(told > 0);
}

TEST_CASE("one connection takes a file in one piece") {
  const Plain plain;
  TransferOptions options;
  options.connections = 1;
  CHECK(download(plain.request, options).fetched == kSize);
  size_t requests = 0;
  for (const Request& request : plain.server.requests()) requests += request.server == "cdn";
  CHECK(requests == 1);
}

TEST_CASE("a file that changed since is downloaded from scratch") {
  const Plain plain({"--total-rate", "40000000"});
  bool stop = false;
  TransferOptions options;
  options.cancelled = [&] { return stop; };
  options.progress = [&](const DownloadRequest&, uint64_t done, uint64_t) { stop = done > kSize / 2; };
  CHECK_THROWS_WITH(download(plain.request, options), Contains("interrupted"));
  REQUIRE(fs::exists(plain.unfinished()));
  const bool is_changed = GENERATE(false, true);
  if (is_changed) {
    std::string text = plain.fixture.weights();
    text[kSize - 1] ^= 1;
    std::ofstream(plain.fixture.repo() / "model.safetensors", std::ios::binary) << text;
  }
  const Downloaded got = download(plain.request, {});
  CHECK(plain.bytes() == plain.fixture.weights());
  CHECK((got.fetched >= kSize) == is_changed);
}

TEST_CASE("with digests of its blocks only a file's wrong ones are fetched again") {
  Plain plain({"--fault", "flip=17000000*1"});
  const std::string text = plain.fixture.weights();
  plain.request.size = kSize;
  plain.request.digest = sha256_of(text);
  plain.request.block_digests = {sha256_of(text.substr(0, kDigestBlock)),
                                 sha256_of(text.substr(kDigestBlock))};
  SECTION("of what came") { CHECK(download(plain.request, {}).fetched == kSize + (kSize - kDigestBlock)); }
  SECTION("of a copy that was damaged") {
    std::string damaged = text;
    damaged[5] ^= 1;
    plain.request.earlier = plain.folder.path() / "copy";
    std::ofstream(plain.request.earlier, std::ios::binary) << damaged;
    CHECK(download(plain.request, {}).fetched == kDigestBlock);
    CHECK_FALSE(fs::exists(plain.request.earlier));
  }
  CHECK(plain.bytes() == text);
}

TEST_CASE("wrong bytes are fetched again only if that is wanted") {
  Plain plain;
  plain.request.size = kSize;
  plain.request.digest = std::string(64, 'a');
  CHECK(code_of(plain.request) == ErrorCode::kCorrupt);
  CHECK(plain.server.file_bytes() == 2 * kSize);
  plain.request.again_if_wrong = false;
  CHECK(code_of(plain.request) == ErrorCode::kCorrupt);
  CHECK(plain.server.file_bytes() == 3 * kSize);
  CHECK(fs::is_empty(plain.folder.path()));
}

TEST_CASE("a file larger than the disk is not begun") {
  Plain plain;
  plain.request.size = uint64_t{1} << 42;
  CHECK(code_of(plain.request) == ErrorCode::kDiskFull);
  CHECK_THROWS_WITH(download(plain.request, {}), Contains("missing"));
  CHECK(plain.server.requests().empty());
  CHECK(fs::is_empty(plain.folder.path()));
}

TEST_CASE("what the server does not have is not found, and a caller may say more") {
  Plain plain;
  plain.request.url = plain.server.url() + "/acme/mini/resolve/main/none";
  CHECK(code_of(plain.request) == ErrorCode::kNotFound);
  TransferOptions options;
  options.refused = [](const DownloadRequest&, const HttpResponse& response) {
    fail(ErrorCode::kUnsupported, "refused with {}", response.status);
  };
  CHECK_THROWS_WITH(download(plain.request, options), "refused with 404");
  CHECK(fs::is_empty(plain.folder.path()));
}

TEST_CASE("who asks is told to the origin alone") {
  Plain plain;
  const bool is_origin = GENERATE(true, false);
  const bool is_token = GENERATE(true, false);
  plain.request.auth.origin = is_origin ? plain.server.url() : "http://127.0.0.1:1";
  (is_token ? plain.request.auth.token : plain.request.auth.user_password) = "me:secret";
  download(plain.request, {});
  for (const Request& request : plain.server.requests()) {
    INFO(request.server << " " << request.target);
    CHECK(request.has_token == (is_origin && request.server == "hub"));
  }
}
