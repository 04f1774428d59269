// HTTP and HTTPS over libcurl.
//
// TLS is verified (SSL_CERT_FILE names other certificates), HTTPS_PROXY, http_proxy and NO_PROXY are curl's.
// Connecting takes at most 10 s, and a transfer that stays under 1 kB/s for HF_HUB_DOWNLOAD_TIMEOUT (30 s)
// counts as dead. Failed connections, broken transfers and the statuses 408, 429, 500, 502, 503 and 504 are
// tried again, 4 times in all, after 0.5 s, 1 s, 2 s, each shortened by up to half at random, or what
// Retry-After says (up to 60 s). At most 10 redirects are followed, none from https to http.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "zoo/url.h"

namespace swinzoo::zoo {

// Who asks. Sent to the scheme, host and port of `origin` (a URL) alone, and only until the first redirect
// elsewhere; nowhere where that is empty.
struct HttpAuth {
  std::string token = {};          // "Authorization: Bearer TOKEN"
  std::string user_password = {};  // "USER:PASSWORD", sent as Basic where there is no token
  std::string origin = {};
};

struct HttpResponse {
  int status = 0;
  std::string url;                             // that answered, after redirects
  std::map<std::string, std::string> headers;  // names in lower case
  bool with_auth = false;                      // what answered was sent the request's auth
  std::string body;  // of HttpClient::get(); of a download only where the status is no success

  std::string header(const std::string& lower_case_name) const;  // empty where missing
  bool ok() const { return status >= 200 && status < 300; }
};

struct HttpOptions {
  HttpAuth auth = {};
  std::function<bool()> cancelled;               // asked often; true ends the transfer with kInterrupted
  std::function<void(const std::string&)> note;  // told of each retry
};

class Transport;
struct HttpRequest;

// For short answers; download.h is for files. Keeps its connections between requests. Not thread-safe: one
// client a thread.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The answer, whatever its status, once no retry is left to make. Throws kNetwork (with the URL and what
  // happened) if none came or the server stays busy; kCorrupt over 64 MiB; kInterrupted. Messages never hold
  // the token, nor a URL's query or password.
  HttpResponse get(const std::string& url);
  HttpResponse head(const std::string& url);  // without the body

 private:
  HttpResponse ask(const HttpRequest& request);
  void wait(std::chrono::milliseconds pause);

  HttpOptions options_;
  std::unique_ptr<Transport> transport_;
};

// Throws what a status other than success means to somebody who knows nothing of the server: 404 and 410 are
// kNotFound, the others kNetwork.
void require_success(const HttpResponse& response);

}  // namespace swinzoo::zoo
