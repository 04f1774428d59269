// A web server on 127.0.0.1 inside the test: what it answers is the test's own function, so that a test shows
// the URLs and redirects of the site that it stands for.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace swinzoo {

struct SeenRequest {
  std::string method;
  std::string target;                          // path and query
  std::map<std::string, std::string> headers;  // names in lower case

  std::string header(const std::string& lower_case_name) const;  // empty where missing
};

struct Reply {
  int status = 200;
  std::map<std::string, std::string> headers = {};
  std::string body = {};

  static Reply redirect(const std::string& url) { return {302, {{"Location", url}}, ""}; }
};

// Answers GET and HEAD, and ranges of a body with status 200; a connection a request. One thread a
// connection.
class LoopbackServer {
 public:
  using Handler = std::function<Reply(const SeenRequest&)>;

  // The handler may be called by several threads at once.
  explicit LoopbackServer(Handler handler);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::string url() const;                             // http://127.0.0.1:PORT
  std::vector<SeenRequest> requests() const;           // so far
  uint64_t body_bytes() const { return body_bytes_; }  // sent so far with 200 and 206

 private:
  void serve(int socket);

  const Handler handler_;
  int port_ = 0;  // before listener_, which sets it
  int listener_ = -1;
  std::atomic<uint64_t> body_bytes_ = 0;
  mutable std::mutex mutex_;
  std::vector<SeenRequest> requests_;
  std::list<std::thread> connections_;
  std::thread acceptor_;
};

// A server that answers nothing more: connections to its url() are refused.
std::string dead_url();

}  // namespace swinzoo
