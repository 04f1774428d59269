// The real binary against sites on loopback that are laid out as TF-Hub, Kaggle, GitHub and the buckets are.
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>

#include "tests/loopback_server.h"
#include "tests/source_fixture.h"

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kHandle = "tfhub:acme/swin_mini/1";
const std::string kSigned = "X-Goog-Signature=5ca1ab1e";

// A bucket whose signed URLs refuse whoever sends credentials, as Google's and Amazon's do.
Reply bucket(const SeenRequest& request, const std::string& path, const std::string& body) {
  if (request.target != path + "?" + kSigned) return {403, {}, "AccessDenied"};
  if (!request.header("authorization").empty()) return {400, {}, "only one auth mechanism allowed"};
  return {200, {{"ETag", "\"e1\""}, {"Content-Type", "application/x-gzip"}}, body};
}

// TF-Hub: the compressed form is a redirect to a bucket, an unknown model one to a page of Kaggle's.
Reply tfhub(const SeenRequest& request, const std::string& bucket_url) {
  if (request.target == "/acme/swin_mini/1?tf-hub-format=compressed") {
    return Reply::redirect(bucket_url + "/tfhub-modules/acme/swin_mini/1.tar.gz?" + kSigned);
  }
  if (request.target == "/models") return {200, {{"Content-Type", "text/html"}}, "<!doctype html><p>Models"};
  if (request.target.starts_with("/acme/moved/")) return Reply::redirect("/models");
  return {404, {}, "Not Found"};
}

// A site with one file at /FILE.
LoopbackServer::Handler site(const std::string& path, const std::string& body) {
  return [=](const SeenRequest& request) {
    return request.target == path ? Reply{200, {}, body} : Reply{404, {}, "Not Found"};
  };
}

json::value first_result(const Result& result) { return json::parse(result.out).at("results").at(0); }

}  // namespace

TEST_CASE("a TF-Hub handle is fetched, unpacked, and found by the other subcommands") {
  const std::string archive = saved_model_tar_gz();
  const LoopbackServer files(
      [&](const SeenRequest& r) { return bucket(r, "/tfhub-modules/acme/swin_mini/1.tar.gz", archive); });
  const LoopbackServer hub([&](const SeenRequest& r) { return tfhub(r, files.url()); });
  SourceFixture user;
  user.env["SWINZOO_TFHUB_ENDPOINT"] = hub.url() + "/";

  const Result early = user.run({"inspect", kHandle});
  CHECK(early.status == 3);
  CHECK_THAT(early.err, Contains("swinzoo fetch tfhub:acme/swin_mini/1"));
  CHECK(user.run({"fetch", kHandle, "--offline"}).status == 3);
  CHECK(hub.requests().empty());

  const Result result = user.run({"fetch", kHandle, "--json"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  const json::value model = first_result(result);
  CHECK(model.at("ok") == true);
  CHECK(model.at("source") == kHandle);
  CHECK(model.at("folder").as_string() == user.entry().string());
  REQUIRE(model.at("files").as_array().size() == 6);
  const json::value& file = model.at("files").at(0);
  CHECK(file.at("name") == "swin_mini.tar.gz");
  CHECK(file.at("size") == archive.size());
  CHECK(file.at("sha256").as_string() == sha256_of(archive));
  CHECK(file.at("state") == "downloaded");
  CHECK(model.at("files").at(1).at("name") == "unpacked/saved_model.pb");
  CHECK(fs::exists(user.entry() / "unpacked" / "variables" / "variables.index"));
  CHECK_FALSE(fs::exists(user.entry() / "swin_mini.tar.gz.incomplete"));

  const json::value record = json::parse(read_text(user.entry() / "record.json"));
  CHECK(record.at("source") == kHandle);
  CHECK(record.at("url").as_string() == files.url() + "/tfhub-modules/acme/swin_mini/1.tar.gz");
  CHECK(record.at("file").at("sha256").as_string() == sha256_of(archive));
  CHECK_THAT(read_text(user.cache() / "CACHEDIR.TAG"), Catch::StartsWith("Signature: 8a477f597d28d"));
  CHECK(fs::exists(user.cache() / "locks" / (user.entry().filename().string() + ".lock")));

  const size_t requests = hub.requests().size() + files.requests().size();
  for (const std::string& name : {std::string(kHandle), std::string("https://tfhub.dev/acme/swin_mini/1")}) {
    const Result again = user.run({"fetch", name});
    CHECK(again.status == 0);
    CHECK_THAT(again.out, Contains("cached") && !Contains("downloaded"));
  }
  CHECK(user.run({"fetch", kHandle, "--offline"}).status == 0);
  CHECK_THAT(user.run({"inspect", kHandle}).out, Contains("saved_model"));
  const std::string out = user.home() / "out.safetensors";
  const Result converted = user.run({"convert", kHandle, "-o", out});
  INFO(converted.err);
  CHECK(converted.status == 0);
  CHECK(user.run({"verify", out}).status == 0);
  CHECK(hub.requests().size() + files.requests().size() == requests);
}

TEST_CASE("what is no archive, and what is not there, is told apart") {
  const LoopbackServer hub([](const SeenRequest& r) { return tfhub(r, ""); });
  SourceFixture user;
  user.env["SWINZOO_TFHUB_ENDPOINT"] = hub.url();
  const Result page = user.run({"fetch", "tfhub:acme/moved/1"});
  CHECK(page.status == 5);
  CHECK_THAT(page.err, Contains("tar.gz") && Contains("nothing of it was kept"));
  const Result none = user.run({"fetch", "tfhub:acme/none/1"});
  CHECK(none.status == 3);
  CHECK_THAT(none.err, Contains("no such model or version"));
  CHECK(user.entries().empty());
  for (const char* bad : {"tfhub:acme/mini", "tfhub:acme/mini/latest", "kaggle:a/b/c/1", "https://"}) {
    CHECK(user.run({"fetch", bad}).status == 2);
  }
}

TEST_CASE("a checkpoint by URL, as GitHub's releases redirect to their objects") {
  const std::string weights = small_safetensors();
  const LoopbackServer objects(
      [&](const SeenRequest& r) { return bucket(r, "/github-production-release-asset/1/2", weights); });
  const LoopbackServer github([&](const SeenRequest& r) {
    if (r.target != "/acme/storage/releases/download/v1.0.0/mini.safetensors") return Reply{404, {}, ""};
    return Reply::redirect(objects.url() + "/github-production-release-asset/1/2?" + kSigned);
  });
  const SourceFixture user;
  const std::string url = github.url() + "/acme/storage/releases/download/v1.0.0/mini.safetensors";
  const Result result = user.run({"fetch", url});
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.out, Contains(sha256_of(weights)) && Contains("downloaded"));
  CHECK(read_text(user.entry() / "mini.safetensors") == weights);
  const uint64_t bytes = objects.body_bytes();
  CHECK(bytes == weights.size());
  CHECK(user.run({"fetch", url}).status == 0);
  CHECK_THAT(user.run({"inspect", url}).out, Contains("layers.0.blocks.0.attn.qkv.weight"));
  CHECK(objects.body_bytes() == bytes);

  CHECK(user.run({"fetch", github.url() + "/acme/none.pth"}).status == 3);
  SECTION("a stated digest is checked, and is part of no request") {
    const std::string right = url + "#sha256=" + sha256_of(weights);
    CHECK(user.run({"fetch", right}).status == 0);
    CHECK(objects.body_bytes() == bytes);
    const Result wrong = user.run({"fetch", url + "#sha256=" + std::string(64, '0')});
    CHECK(wrong.status == 5);
    CHECK_THAT(wrong.err, Contains(std::string(64, '0')));
    for (const SeenRequest& request : github.requests()) CHECK_THAT(request.target, !Contains("sha256"));
    CHECK(user.run({"fetch", right, "--offline"}).status == 0);  // what was there is still there
    CHECK(user.run({"inspect", url + "#sha256=" + std::string(64, '0')}).status == 3);
  }
}

TEST_CASE("Kaggle's credentials reach Kaggle alone") {
  const std::string archive = saved_model_tar_gz();
  const std::string target = "/api/v1/models/acme/swin/tensorFlow2/mini/1/download";
  const std::string basic = "Basic bWU6azE=";  // me:k1
  const LoopbackServer files([&](const SeenRequest& r) {
    return bucket(r, "/kaggle-models-data/1/bundle/archive.tar.gz", archive);
  });
  std::atomic<int> busy = 1;
  bool is_open = false;
  const LoopbackServer kaggle([&](const SeenRequest& r) {
    if (r.target != target) return Reply{404, {}, "{}"};
    if (busy-- > 0) return Reply{503, {{"Retry-After", "0"}}, "busy"};
    const std::string who = r.header("authorization");
    if (!is_open && who.empty()) return Reply{401, {}, R"({"code": 401, "message": "Unauthenticated"})"};
    if (!who.empty() && who != basic)
      return Reply{403, {}, R"({"code": 403, "message": "Permission denied"})"};
    return Reply::redirect(files.url() + "/kaggle-models-data/1/bundle/archive.tar.gz?" + kSigned);
  });
  SourceFixture user;
  user.env["KAGGLE_API_ENDPOINT"] = kaggle.url();
  const std::string model = "kaggle:acme/swin/tensorFlow2/mini/1";

  const Result nobody = user.run({"fetch", model});
  CHECK(nobody.status == 4);
  CHECK_THAT(nobody.err, Contains("set KAGGLE_USERNAME and KAGGLE_KEY") && Contains("/models/acme/swin"));
  SECTION("anonymous where allowed") {
    is_open = true;
    CHECK(user.run({"fetch", model}).status == 0);
    for (const SeenRequest& request : kaggle.requests()) CHECK(request.header("authorization").empty());
  }
  SECTION("from the variables, through a retry and a redirect") {
    user.env["KAGGLE_USERNAME"] = "me";
    user.env["KAGGLE_KEY"] = "wrong";
    const Result wrong = user.run({"fetch", model});
    CHECK(wrong.status == 4);
    CHECK_THAT(wrong.err, Contains("may not read it") && !Contains("wrong:") && !Contains(":wrong"));
    user.env["KAGGLE_KEY"] = "k1";
    busy = 1;
    const Result result = user.run({"fetch", model});
    INFO(result.err);
    CHECK(result.status == 0);
    CHECK_THAT(user.run({"inspect", model}).out, Contains("saved_model"));
    CHECK_FALSE(files.requests().empty());
    for (const SeenRequest& request : files.requests()) CHECK(request.header("authorization").empty());
    CHECK_THAT(read_text(user.entry() / "record.json"), !Contains("k1") && !Contains("Signature"));
  }
  SECTION("from kaggle.json") {
    fs::create_directories(user.home() / "kaggle");
    std::ofstream(user.home() / "kaggle" / "kaggle.json") << R"({"username": "me", "key": "k1"})";
    CHECK(user.run({"fetch", model}).status == 0);
  }
  SECTION("and not a mirror of TF-Hub, or a site by URL") {
    user.env["KAGGLE_USERNAME"] = "me";
    user.env["KAGGLE_KEY"] = "k1";
    user.env["HF_TOKEN"] = "hf_secret";
    const LoopbackServer other(site("/mini.safetensors", small_safetensors()));
    user.env["SWINZOO_TFHUB_ENDPOINT"] = other.url();
    CHECK(user.run({"fetch", other.url() + "/mini.safetensors"}).status == 0);
    CHECK(user.run({"fetch", kHandle}).status == 3);
    CHECK(other.requests().size() >= 2);
    for (const SeenRequest& request : other.requests()) CHECK(request.header("authorization").empty());
  }
}

TEST_CASE("when one source fails the next is taken, and the user is told") {
  const std::string archive = saved_model_tar_gz();
  const LoopbackServer hub([](const SeenRequest&) { return Reply{404, {}, ""}; });
  const LoopbackServer mirror(site("/tars/swin_mini.tar.gz", archive));
  SourceFixture user;
  user.env["SWINZOO_TFHUB_ENDPOINT"] = hub.url();
  const std::string url = mirror.url() + "/tars/swin_mini.tar.gz";
  const std::string catalog = user.catalog({kHandle, dead_url() + "/mini.pth", url});

  const Result result = user.run({"fetch", "acme/mini", "--catalog", catalog, "--json"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.err, Contains("note: tfhub:acme/swin_mini/1: ") && Contains("no such model") &&
                             Contains("trying http://") && Contains("trying " + url));
  CHECK(first_result(result).at("source").as_string() == url);

  SECTION("and found again without asking the first") {
    const size_t requests = hub.requests().size() + mirror.requests().size();
    const Result again = user.run({"fetch", "acme/mini", "--catalog", catalog});
    CHECK(again.status == 0);
    CHECK_THAT(again.out, Contains("source " + url) && Contains("cached") && !Contains("downloaded"));
    CHECK(hub.requests().size() + mirror.requests().size() == requests);
    for (const char* command : {"inspect", "verify"}) {
      const Result found = user.run({command, "acme/mini", "--catalog", catalog});
      INFO(command << found.err);
      CHECK_THAT(found.err, !Contains("swinzoo fetch"));
    }
    const std::string out = user.home() / "out.safetensors";
    CHECK(user.run({"convert", "acme/mini", "--catalog", catalog, "-o", out}).status == 0);
    CHECK(
        user.run({"bench", "acme/mini", "--catalog", catalog, "--iterations", "1", "--warmup", "0"}).status ==
        0);
    const Result list = user.run({"list", "--catalog", catalog, "--json"});
    CHECK_THAT(list.out, Contains("acme/mini"));
  }
  SECTION("and -q says nothing of it") {
    fs::remove_all(user.cache());
    const Result quiet = user.run({"fetch", "acme/mini", "--catalog", catalog, "-q"});
    CHECK(quiet.status == 0);
    CHECK(quiet.err.empty());
  }
}

TEST_CASE("when all sources fail each is told of") {
  const LoopbackServer hub([](const SeenRequest&) { return Reply{404, {}, ""}; });
  SourceFixture user;
  user.env["SWINZOO_TFHUB_ENDPOINT"] = hub.url();
  const std::string catalog = user.catalog({kHandle, hub.url() + "/mini.pth"});
  const Result result = user.run({"fetch", "acme/mini", "--catalog", catalog});
  CHECK(result.status == 3);
  CHECK_THAT(result.err,
             Contains("no source could be fetched") && Contains(kHandle) && Contains("/mini.pth"));
  CHECK(user.entries().empty());
  const Result revision = user.run({"fetch", "acme/mini", "--catalog", catalog, "--revision", "x"});
  CHECK(revision.status == 2);
}

TEST_CASE("a mirror counts only with the digest that is known") {
  const std::string good = saved_model_tar_gz();
  const std::string other = good + std::string(1, '\0');  // unpacks to the same
  std::string served = good;
  bool first_is_up = true;
  const LoopbackServer hub([&](const SeenRequest&) {
    return first_is_up ? Reply{200, {}, served} : Reply{404, {}, ""};
  });
  const LoopbackServer mirror([&](const SeenRequest&) { return Reply{200, {}, served}; });
  SourceFixture user;
  user.env["SWINZOO_TFHUB_ENDPOINT"] = hub.url();
  const std::string url = mirror.url() + "/swin_mini.tar.gz";

  SECTION("by the catalog") {
    served = other;
    const std::string stated = user.catalog({kHandle, url + "#sha256=" + sha256_of(good)});
    const Result refused = user.run({"fetch", "acme/mini", "--catalog", stated});
    CHECK(refused.status == 5);
    CHECK_THAT(refused.err, Contains(sha256_of(good)));
    CHECK(user.entries().empty());
    served = good;
    CHECK(user.run({"fetch", "acme/mini", "--catalog", stated}).status == 0);
  }
  SECTION("by the record of an earlier fetch") {
    const std::string catalog = user.catalog({kHandle, url});
    REQUIRE(user.run({"fetch", "acme/mini", "--catalog", catalog}).status == 0);
    CHECK(mirror.requests().empty());
    std::ofstream(user.entry() / "swin_mini.tar.gz", std::ios::in) << "damaged";
    first_is_up = false;
    served = other;
    const Result refused = user.run({"fetch", "acme/mini", "--catalog", catalog});
    CHECK(refused.status == 5);
    CHECK_THAT(refused.err, Contains("damaged or gone") && Contains(sha256_of(good)) && Contains("cache rm"));
    served = good;
    const Result taken = user.run({"fetch", "acme/mini", "--catalog", catalog});
    INFO(taken.err);
    CHECK(taken.status == 0);
    CHECK_THAT(taken.out, Contains("source " + url));
  }
  SECTION("and wrong bytes of one are asked of the next before they are fetched again") {
    const std::string digest = "#sha256=" + sha256_of(good);
    const LoopbackServer wrong([&](const SeenRequest&) { return Reply{200, {}, other}; });
    const std::string catalog = user.catalog({wrong.url() + "/a.tar.gz" + digest, url + digest});
    const Result result = user.run({"fetch", "acme/mini", "--catalog", catalog});
    INFO(result.err);
    CHECK(result.status == 0);
    CHECK(wrong.body_bytes() == other.size());
    CHECK(mirror.body_bytes() == good.size());
  }
}

TEST_CASE("damage in the cache is found and repaired") {
  const std::string archive = saved_model_tar_gz();
  const LoopbackServer hub([&](const SeenRequest&) { return Reply{200, {}, archive}; });
  SourceFixture user;
  user.env["SWINZOO_TFHUB_ENDPOINT"] = hub.url();
  REQUIRE(user.run({"fetch", kHandle}).status == 0);
  const auto flip = [&](const std::string& name) {
    std::fstream file(user.entry() / name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(100);
    const char byte = static_cast<char>(file.get());
    file.seekp(100);
    file.put(static_cast<char>(byte ^ 1));
  };
  flip("unpacked/saved_model.pb");
  CHECK(user.run({"fetch", kHandle, "--offline"}).status == 5);
  const Result unpacked = user.run({"fetch", kHandle});
  CHECK(unpacked.status == 0);
  CHECK_THAT(unpacked.err, Contains("unpacked/saved_model.pb is damaged; unpacking it again"));
  CHECK(hub.body_bytes() == archive.size());

  flip("swin_mini.tar.gz");
  CHECK(user.run({"fetch", kHandle, "--offline"}).status == 5);
  const Result fetched = user.run({"fetch", kHandle});
  CHECK(fetched.status == 0);
  CHECK_THAT(fetched.err, Contains("swin_mini.tar.gz is damaged or gone"));
  CHECK(hub.body_bytes() == 2 * archive.size());
  CHECK(user.run({"fetch", kHandle, "--offline"}).status == 0);

  SECTION("a record that a kill kept from being written costs no bytes") {
    fs::remove(user.entry() / "record.json");
    CHECK(user.run({"inspect", kHandle}).status == 3);
    CHECK(user.run({"fetch", kHandle}).status == 0);
    CHECK(hub.body_bytes() == 2 * archive.size());
    CHECK(user.run({"inspect", kHandle}).status == 0);
  }
}

TEST_CASE("what tensorflow_hub fetched is found without a request") {
  const SourceFixture user;
  const fs::path archive = fs::path(SWINZOO_TEST_DATA) / "tensorflow" / "swin_mini.tar.gz";
  // hashlib.sha1(b"https://tfhub.dev/acme/swin_mini/1").hexdigest()
  const fs::path folder = user.tfhub_cache() / "f0d6e6dcee416a3b9822dfa1ad32a38c0018c330";
  fs::create_directories(folder);
  Process tar({"/bin/tar", "-xzf", archive.string(), "-C", folder.string()}, {});
  REQUIRE(tar.wait() == 0);
  const Result result = user.run({"fetch", kHandle, "--json"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  const json::value model = first_result(result);
  CHECK(model.at("folder").as_string() == folder.string());
  CHECK(model.at("files").as_array().size() == 5);
  CHECK(model.at("files").at(0).at("state") == "cached");
  CHECK(user.run({"fetch", kHandle, "--offline"}).status == 0);
  CHECK_THAT(user.run({"inspect", kHandle}).out, Contains("saved_model"));
  CHECK_FALSE(fs::exists(user.cache()));
}

TEST_CASE("several processes fetch one file once") {
  const std::string archive = saved_model_tar_gz();
  const LoopbackServer hub([&](const SeenRequest&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return Reply{200, {}, archive};
  });
  SourceFixture user;
  user.env["SWINZOO_TFHUB_ENDPOINT"] = hub.url();
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 4; ++i) {
    processes.push_back(
        std::make_unique<Process>(std::vector<std::string>{SWINZOO_BINARY, "fetch", kHandle}, user.env));
  }
  int waited = 0;
  for (const auto& process : processes) {
    CHECK(process->wait() == 0);
    waited += process->err().find("another process is fetching it; waiting") != std::string::npos;
  }
  CHECK(waited == 3);
  CHECK(hub.body_bytes() == archive.size());
}
