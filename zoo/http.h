// HTTP and HTTPS over libcurl: the one place that knows curl.
//
// TLS is verified (SSL_CERT_FILE names other certificates), HTTPS_PROXY, http_proxy and NO_PROXY are curl's.
// Connecting takes at most 10 s, and a transfer that stays under 1 byte/s for 30 s counts as dead. Failed
// connections, broken transfers and the statuses 408, 429, 500, 502, 503 and 504 are tried again, 4 times in
// all since the last byte that came, after 0.5 s, 1 s, 2 s, each shortened by up to half at random, or what
// Retry-After says (up to 60 s). A transfer that broke goes on where it stopped. At most 10 redirects are
// followed, none from https to http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace swinzoo::zoo {

// Takes a body. What it holds is the first size() bytes of it, maybe from an earlier run.
class HttpSink {
 public:
  virtual ~HttpSink() = default;
  virtual uint64_t size() const = 0;
  virtual void restart() = 0;  // forget everything: the server starts at the first byte again
  virtual void append(std::span<const std::byte> bytes) = 0;
};

struct HttpResponse {
  int status = 0;
  std::string url;                             // that answered, after redirects
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // of get(); of download() only where the status is no success

  std::string header(const std::string& lower_case_name) const;  // empty where missing
  bool ok() const { return status >= 200 && status < 300; }
};

struct HttpOptions {
  std::string token;   // "Authorization: Bearer TOKEN"; empty = none
  std::string origin;  // a URL: its scheme, host and port alone are sent the token, until the first redirect
                       // elsewhere
  std::function<bool()> cancelled;               // asked often; true ends the transfer with kInterrupted
  std::function<void(const std::string&)> note;  // told of each retry
};

// Keeps its connections between requests. Not thread-safe: one client a thread.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The answer, whatever its status, once no retry is left to make. Throws kNetwork (with the URL and what
  // happened) if none came or the server stays busy; kInterrupted. Messages never hold the token, nor a URL's
  // query or password.
  HttpResponse get(const std::string& url);  // at most 64 MiB, else kCorrupt

  // The same, the body going to `sink` from byte sink.size() on. What the sink throws comes through, nothing
  // retried.
  HttpResponse download(const std::string& url, HttpSink& sink);

 private:
  struct Transfer;
  struct Answer;
  Answer perform(const std::string& url, bool with_token, HttpSink& sink);
  Answer follow_redirects(const std::string& url, HttpSink& sink);
  void wait_before_retry(int failures, long retry_after, const std::string& why);
  void check_cancelled() const;

  HttpOptions options_;
  struct Free {
    void operator()(void* handle) const;
  };
  std::unique_ptr<void, Free> handle_;
};

// Throws what a status other than success means to somebody who knows nothing of the server: 404 and 410 are
// kNotFound, the others kNetwork.
void require_success(const HttpResponse& response);

// All but letters, digits and "-._~" as %XX; '/' stays where `keep_slashes`.
std::string percent_encode(std::string_view text, bool keep_slashes);

// `target` as seen from `base`: a Location or a Link. Nothing if that is no http(s) URL.
std::optional<std::string> resolve_url(const std::string& base, const std::string& target);

// "scheme://host:port", lower-case, the port always there; empty if `url` is no URL.
std::string origin_of(const std::string& url);

// `url` without user, password, query and fragment, which may be secrets.
std::string url_for_messages(const std::string& url);

}  // namespace swinzoo::zoo
