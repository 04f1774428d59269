#include "tests/source_fixture.h"

#include <boost/json.hpp>
#include <fstream>
#include <stdexcept>

#include "formats/sha256.h"
#include "tests/made_model.h"
#include "tests/text_files.h"

namespace swinzoo {
namespace fs = std::filesystem;

SourceFixture::SourceFixture() {
  for (const char* name : {"HF_HUB_CACHE",
                           "HUGGINGFACE_HUB_CACHE",
                           "HF_TOKEN",
                           "HF_TOKEN_PATH",
                           "HF_HUB_OFFLINE",
                           "SWINZOO_HF_HOME",
                           "SWINZOO_HF_HUB_CACHE",
                           "SWINZOO_HF_ENDPOINT",
                           "SWINZOO_HF_TOKEN",
                           "SWINZOO_HF_HUB_OFFLINE",
                           "SWINZOO_XDG_CACHE_HOME",
                           "SWINZOO_TFHUB_CACHE_DIR",
                           "SWINZOO_CATALOG",
                           "SWINZOO_KAGGLE_API_ENDPOINT",
                           "SWINZOO_KAGGLE_USERNAME",
                           "SWINZOO_KAGGLE_KEY",
                           "KAGGLE_USERNAME",
                           "KAGGLE_KEY",
                           "http_proxy",
                           "https_proxy",
                           "HTTPS_PROXY",
                           "SSL_CERT_FILE"}) {
    env[name] = "";
  }
  env["HOME"] = home().string();
  env["XDG_CACHE_HOME"] = (home() / "cache").string();
  env["HF_HOME"] = (home() / "hf").string();
  env["TFHUB_CACHE_DIR"] = tfhub_cache().string();
  env["KAGGLE_CONFIG_DIR"] = (home() / "kaggle").string();
  env["NO_PROXY"] = "127.0.0.1";
  for (const char* name : {"HF_ENDPOINT", "SWINZOO_TFHUB_ENDPOINT", "KAGGLE_API_ENDPOINT"}) {
    env[name] = "http://127.0.0.1:9";
  }
}

std::vector<fs::path> SourceFixture::entries() const {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(cache() / "sources", error)) found.push_back(entry.path());
  return found;
}

fs::path SourceFixture::entry() const {
  if (entries().size() != 1) throw std::runtime_error("expected one entry in " + cache().string());
  return entries().front();
}

std::string SourceFixture::catalog(const std::vector<std::string>& sources) const {
  namespace json = boost::json;
  const json::value preprocessing = {{"crop_pct", 0.9},
                                     {"crop_mode", "center"},
                                     {"interpolation", "bicubic"},
                                     {"mean", {0.485, 0.456, 0.406}},
                                     {"std", {0.229, 0.224, 0.225}}};
  const json::value architecture = {
      {"family", "swin"},          {"image_size", 96}, {"embed_dim", 4},   {"depths", {2, 2, 2, 2}},
      {"num_heads", {1, 1, 2, 4}}, {"window_size", 3}, {"num_classes", 5}, {"preprocessing", preprocessing}};
  const json::value entry = {{"id", "acme/mini"},
                             {"aliases", json::array()},
                             {"collection", "acme"},
                             {"task", "classification"},
                             {"architecture", "acme_mini"},
                             {"num_classes", 5},
                             {"preprocessing", preprocessing},
                             {"sources", json::value_from(sources)},
                             {"license", "mit"},
                             {"dataset", "none"},
                             {"published", json::array()}};
  const fs::path path = home() / "catalog.json";
  std::ofstream(path) << json::serialize(json::object{
      {"schema", 1}, {"architectures", {{"acme_mini", architecture}}}, {"entries", json::array{entry}}});
  return path.string();
}

std::string saved_model_tar_gz() {
  return read_text(fs::path(SWINZOO_TEST_DATA) / "tensorflow" / "swin_mini.tar.gz");
}

std::string small_safetensors() {
  const TemporaryFolder folder;
  write_checkpoint(folder.path() / "model.safetensors", made_tensors({}));
  return read_text(folder.path() / "model.safetensors");
}

}  // namespace swinzoo
