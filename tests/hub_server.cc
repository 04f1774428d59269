#include "tests/hub_server.h"

#include <chrono>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "tests/text_files.h"

namespace swinzoo {
namespace {

std::vector<std::string> command_line(const std::filesystem::path& root, const std::filesystem::path& folder,
                                      const std::vector<std::string>& options) {
  std::vector<std::string> args = {SWINZOO_HUB_SERVER, "--root", root.string()};
  for (const char* option : {"port-file", "log"}) {
    args.push_back(std::string("--") + option);
    args.push_back((folder / option).string());
  }
  args.insert(args.end(), options.begin(), options.end());
  return args;
}

}  // namespace

HubServer::HubServer(const std::filesystem::path& root, const std::vector<std::string>& options)
    : process_(command_line(root, folder_.path(), options), {}) {
  for (int i = 0; i < 1000 && port_ == 0; ++i) {
    std::ifstream(folder_.path() / "port-file") >> port_;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (port_ == 0) throw std::runtime_error("hub_server did not start: " + process_.err());
}

std::vector<Request> HubServer::requests() const {
  std::vector<Request> requests;
  std::istringstream lines(read_text(folder_.path() / "log"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Request request;
    std::string auth;
    words >> request.server >> request.method >> request.target >> request.status >> request.bytes >> auth >>
        request.range;
    request.has_token = auth == "auth=yes";
    request.range = request.range.substr(sizeof("range=") - 1);
    requests.push_back(request);
  }
  return requests;
}

uint64_t HubServer::file_bytes() const {
  uint64_t bytes = 0;
  for (const Request& request : requests()) {
    if (request.server == "cdn" || request.target.starts_with("/api/resolve-cache/")) bytes += request.bytes;
  }
  return bytes;
}

uint64_t HubServer::settled_file_bytes() const {
  uint64_t before = UINT64_MAX;
  uint64_t bytes = file_bytes();
  while (bytes != before) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    before = std::exchange(bytes, file_bytes());
  }
  return bytes;
}

HubFixture::HubFixture(size_t size) {
  std::mt19937 random(7);
  std::string weights(size, '\0');
  for (char& c : weights) c = static_cast<char>(random());
  write_text(repo() / "model.safetensors", weights);
  write_text(repo() / "config.json", "{\"architecture\": \"swin_tiny_patch4_window7_224\"}\n");
  write_text(repo() / "README.md", "A mini model.\n");
  write_text(repo() / "logs" / "train.txt", "loss 0.1\n");
}

std::map<std::string, std::string> HubFixture::env(const std::string& endpoint) const {
  std::map<std::string, std::string> result;
  for (const char* name :
       {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE",
        "HF_HUB_DOWNLOAD_TIMEOUT", "SWINZOO_HF_HOME", "SWINZOO_HF_HUB_CACHE", "SWINZOO_HF_ENDPOINT",
        "SWINZOO_HF_TOKEN", "SWINZOO_HF_HUB_OFFLINE", "http_proxy", "https_proxy", "HTTPS_PROXY",
        "SSL_CERT_FILE"}) {
    result[name] = "";
  }
  result["HF_ENDPOINT"] = endpoint;
  result["HF_HOME"] = (folder_.path() / "home").string();
  result["NO_PROXY"] = "127.0.0.1";
  return result;
}

}  // namespace swinzoo
