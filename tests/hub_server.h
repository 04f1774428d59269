// The hub on loopback (tests/tools/hub_server.cc) for the length of a test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/process.h"

namespace swinzoo {

// A line of the server's log.
struct Request {
  std::string server;  // "hub" or "cdn"
  std::string method;
  std::string target;
  int status = 0;
  uint64_t bytes = 0;  // of the body that were sent
  bool has_token = false;
  std::string range;  // "-" where there was none
};

class HubServer {
 public:
  // Starts it and waits until it listens. `options` are the program's, but for the root and the port, which
  // is a free one unless given.
  explicit HubServer(const std::filesystem::path& root, const std::vector<std::string>& options = {});

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<Request> requests() const;  // so far
  uint64_t file_bytes() const;            // sent of files, by both servers, so far
  uint64_t settled_file_bytes() const;    // the same, once it has noticed that a killed client is gone

 private:
  TemporaryFolder folder_;
  int port_ = 0;
  Process process_;
};

// A repository acme/mini with a config.json, a model.safetensors of `size` bytes, a README.md and a file in a
// folder, and an empty cache beside it.
class HubFixture {
 public:
  explicit HubFixture(size_t size = 300 * 1000);

  std::filesystem::path root() const { return folder_.path() / "root"; }
  std::filesystem::path repo() const { return root() / "acme" / "mini"; }
  std::filesystem::path cache() const { return folder_.path() / "home" / "hub"; }
  std::filesystem::path cached_repo() const { return cache() / "models--acme--mini"; }
  std::map<std::string, std::string> env(
      const std::string& endpoint) const;  // nothing of the user's own settings
  std::string weights() const { return read_text(repo() / "model.safetensors"); }

 private:
  TemporaryFolder folder_;
};

}  // namespace swinzoo
