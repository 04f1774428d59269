// A user with empty caches, for tests of sources other than the Hugging Face hub.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/process.h"
#include "tests/run_binary.h"
#include "tests/text_files.h"

namespace swinzoo {

class SourceFixture {
 public:
  SourceFixture();

  std::filesystem::path home() const { return folder_.path(); }
  std::filesystem::path cache() const { return home() / "cache" / "swinzoo"; }  // our own
  std::filesystem::path hub_cache() const { return home() / "hf" / "hub"; }
  std::filesystem::path tfhub_cache() const { return home() / "tfhub"; }
  // The folders of sources; and the only one. REQUIRES: there is exactly one.
  std::vector<std::filesystem::path> entries() const;
  std::filesystem::path entry() const;

  // Variables for every run, and nothing of the user's own settings. All hubs are unreachable until a test
  // sets SWINZOO_TFHUB_ENDPOINT, KAGGLE_API_ENDPOINT or HF_ENDPOINT.
  std::map<std::string, std::string> env;

  Result run(const std::vector<std::string>& arguments) const { return run_swinzoo(arguments, env); }

  // Writes a catalog whose one row, acme/mini, has these sources and is the model of saved_model_tar_gz();
  // the file's path.
  std::string catalog(const std::vector<std::string>& sources) const;

 private:
  TemporaryFolder folder_;
};

// A SavedModel that TensorFlow wrote, as .tar.gz (tests/data/tensorflow), and a small timm-like checkpoint.
std::string saved_model_tar_gz();
std::string small_safetensors();

}  // namespace swinzoo
