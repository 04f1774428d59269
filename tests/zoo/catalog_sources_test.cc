// Every row of the catalog is fetched from every one of its sources, with the hubs' URL layouts, on loopback.
#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <mutex>

#include "tests/environment.h"
#include "tests/loopback_server.h"
#include "tests/made_tar.h"
#include "tests/source_fixture.h"
#include "zoo/catalog.h"
#include "zoo/fetch.h"
#include "zoo/model_source.h"

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

const std::string kCommit(40, 'c');

// A repository of the Hugging Face hub with a model.safetensors, whatever it is called.
Reply hugging_face(const SeenRequest& request, const std::string& weights) {
  if (request.target.find("/revision/") != std::string::npos) {
    return {200, {}, json::serialize(json::object{{"sha", kCommit}})};
  }
  if (request.target.find("/tree/") != std::string::npos) {
    const json::object lfs{{"oid", sha256_of(weights)}, {"size", weights.size()}};
    return {200,
            {},
            json::serialize(json::array{json::object{{"type", "file"},
                                                     {"path", "model.safetensors"},
                                                     {"oid", std::string(40, 'a')},
                                                     {"size", weights.size()},
                                                     {"lfs", lfs}}})};
  }
  return {200, {{"ETag", "\"" + sha256_of(weights) + "\""}}, weights};
}

// The path at the one server that stands for all sites.
std::string expected_target(const Source& source) {
  switch (source.kind) {
    case SourceKind::kHub:
      return "/hf/" + source.text.substr(3) + "/resolve/" + kCommit + "/model.safetensors";
    case SourceKind::kTfHub:
      return "/tfhub/" + source.handle() + "?tf-hub-format=compressed";
    default:
      return source.text.substr(std::string("https:/").size());
  }
}

}  // namespace

TEST_CASE("every row of the catalog can be fetched from each of its sources") {
  const std::string weights = small_safetensors();
  const std::string archive = make_tar({{"./", "", 'd'}, {"./model.safetensors", weights}}, true);
  std::mutex mutex;
  std::string up;  // the target that the source that works is asked for last
  const LoopbackServer server([&](const SeenRequest& request) {
    const std::lock_guard lock(mutex);
    const bool is_hub = request.target.starts_with("/hf/");
    if (is_hub ? !up.starts_with("/hf/") : request.target != up) return Reply{404, {}, ""};
    if (is_hub) return hugging_face(request, weights);
    const bool is_archive = up.starts_with("/tfhub/") || up.ends_with(".tar.gz");
    return Reply{200, {}, is_archive ? archive : weights};
  });
  const SourceFixture user;
  std::vector<std::unique_ptr<EnvironmentVariable>> environment;
  std::map<std::string, std::string> variables = user.env;
  variables["HF_ENDPOINT"] = server.url() + "/hf";
  variables["SWINZOO_TFHUB_ENDPOINT"] = server.url() + "/tfhub";
  variables["SWINZOO_MIRRORS"] = "https://=" + server.url() + "/";
  for (const auto& [name, value] : variables) {
    environment.push_back(std::make_unique<EnvironmentVariable>(name, value));
  }
  size_t fetched_in_all = 0;
  for (const ModelSpec& entry : Catalog::built_in().entries()) {
    std::vector<Source> sources;
    for (const std::string& source : entry.sources) sources.push_back(parse_source(source));
    for (const Source& source : sources) {
      INFO(entry.id << " from " << source.text);
      {
        const std::lock_guard lock(mutex);
        up = expected_target(source);
      }
      const Fetched fetched = fetch_model(sources, {});
      CHECK(fetched.source == source.text);
      CHECK(server.requests().back().target == expected_target(source));
      REQUIRE_FALSE(fetched.files.empty());
      CHECK(fetched.files.back().sha256 == sha256_of(weights));
      const ModelFiles found = resolve_model_files(entry.id, entry.sources);
      CHECK(read_text(found.checkpoint) == weights);
      fs::remove_all(user.cache());
      fs::remove_all(user.hub_cache());
      ++fetched_in_all;
    }
  }
  CHECK(fetched_in_all >= 88 + 32 + 34);
}
