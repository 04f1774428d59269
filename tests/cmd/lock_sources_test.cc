// Lock files of models that come from elsewhere than Hugging Face: the real binary against sites on loopback.
#include <atomic>
#include <catch2/catch.hpp>

#include "formats/json.h"
#include "tests/cmd/results.h"
#include "tests/loopback_server.h"
#include "tests/source_fixture.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

// A site with one file, which can be taken away.
struct Site {
  std::string body;
  std::atomic<bool> is_up = true;
  LoopbackServer server{[this](const SeenRequest& request) {
    return is_up && request.target == "/mini.safetensors" ? Reply{200, {}, body}
                                                          : Reply{404, {}, "Not Found"};
  }};

  explicit Site(std::string text) : body(std::move(text)) {}
  std::string url() const { return server.url() + "/mini.safetensors"; }
};

}  // namespace

TEST_CASE("a file is locked with where it came from, and a mirror will do") {
  Site publisher(small_safetensors());
  Site mirror(small_safetensors());
  SourceFixture user;
  user.env["SWINZOO_CATALOG"] = user.catalog({publisher.url(), mirror.url()});
  const std::string file = user.home() / "swinzoo.lock";
  const Result locked = user.run({"lock", "acme/mini", "-o", file});
  INFO(locked.err);
  REQUIRE(locked.status == 0);
  const json::value entry = parse_json(read_text(file), "lock").at("entries").at(0);
  CHECK(as_string(entry.at("source"), "") == publisher.url());
  CHECK(as_string(entry.at("files").at(0).at("url"), "") == publisher.url());
  CHECK(as_string(entry.at("files").at(0).at("sha256"), "") == sha256_of(publisher.body));
  CHECK_FALSE(entry.as_object().contains("commit"));
  const uint64_t sent = publisher.server.body_bytes();
  CHECK(user.run({"fetch", "--locked", "--lock-file", file}).status == 0);
  CHECK(publisher.server.body_bytes() == sent);

  REQUIRE(user.run({"cache", "rm", publisher.url()}).status == 0);
  publisher.is_up = false;
  const Result from_mirror = user.run({"fetch", "--locked", "--lock-file", file, "acme/mini", "--json"});
  INFO(from_mirror.err);
  CHECK(from_mirror.status == 0);
  CHECK(as_string(results_of(from_mirror).at(0).at("source"), "") == mirror.url());
  CHECK(mirror.server.body_bytes() == mirror.body.size());

  REQUIRE(user.run({"cache", "rm", mirror.url()}).status == 0);
  mirror.body.back() ^= 1;
  const Result wrong = user.run({"fetch", "--locked", "--lock-file", file});
  CHECK(wrong.status == 5);
  CHECK_THAT(wrong.err, Contains(sha256_of(publisher.body)));
  CHECK(user.run({"cache", "path", "acme/mini"}).status == 3);
}

TEST_CASE("a dry run of a URL asks how big it is and for no byte of it") {
  Site site(small_safetensors());
  SourceFixture user;
  const Result dry = user.run({"fetch", site.url(), "--dry-run", "--json"});
  INFO(dry.err);
  CHECK(dry.status == 0);
  const json::value planned = results_of(dry).at(0).at("files").at(0);
  CHECK(planned.at("size") == site.body.size());
  CHECK(planned.at("state") == "to download");
  CHECK(site.server.body_bytes() == 0);
  for (const SeenRequest& request : site.server.requests()) CHECK(request.method == "HEAD");
  CHECK(user.run({"fetch", site.url(), "--dry-run", "--offline"}).status == 3);

  REQUIRE(user.run({"fetch", site.url()}).status == 0);
  const size_t requests = site.server.requests().size();
  CHECK(results_of(user.run({"fetch", site.url(), "--dry-run", "--json"}))
            .at(0)
            .at("files")
            .at(0)
            .at("state") == "cached");
  CHECK(site.server.requests().size() == requests);
  site.is_up = false;
  CHECK(user.run({"fetch", site.server.url() + "/other.safetensors", "--dry-run"}).status == 3);
}
