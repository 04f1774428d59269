// Several HTTP requests at once on one thread: the one place that knows curl's transfers, and what is sent to
// whom. http.h has the rules; its HttpClient and download.h's download() are built on this.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>

#include "zoo/http.h"

namespace swinzoo::zoo {

struct HttpRequest {
  std::string url;
  HttpAuth auth = {};
  std::string range = {};  // "0-99" or "100-", in bytes; empty: everything
  bool is_head = false;    // HEAD: what GET would answer, without the body
};

// How a request ended.
struct HttpOutcome {
  HttpResponse response = {};
  std::string problem = {};               // empty = the response is good, whatever its status
  bool transient = true;                  // the problem may go away
  std::chrono::seconds retry_after = {};  // that the server asks for
};

// Takes what comes of one request. Transport::poll() calls it, and throws on what it throws.
class HttpReceiver {
 public:
  virtual ~HttpReceiver() = default;
  // A success (2xx) begins; its body follows. A text = why this answer is of no use: it ends the transfer,
  // and is the outcome's problem.
  virtual std::string begin(const HttpResponse& response) = 0;
  virtual std::string append(std::span<const std::byte> bytes) = 0;
  virtual void end(const HttpOutcome& outcome) = 0;  // once, last
};

// Not thread-safe but for wake().
class Transport {
 public:
  explicit Transport(std::function<bool()> cancelled);
  ~Transport();  // ends what still runs; its receivers hear nothing more
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // REQUIRES: `receiver` lives until its end(), or until cancel().
  void start(HttpRequest request, HttpReceiver& receiver);
  // Ends it; `receiver` hears nothing more. May be called by a receiver.
  void cancel(const HttpReceiver& receiver);

  // Moves bytes, waiting up to `longest` for something to happen. Throws kInterrupted when cancelled.
  void poll(std::chrono::milliseconds longest);
  // Ends a poll() that waits, from any thread.
  void wake();

 private:
  struct Exchange;
  void add(Exchange& exchange);
  void finish(Exchange& exchange, int code);
  bool follow_redirect(Exchange& exchange, HttpOutcome& outcome);
  void remove_cancelled();

  std::function<bool()> cancelled_;
  struct Free {
    void operator()(void* multi) const;
  };
  std::unique_ptr<void, Free> multi_;
  std::list<std::unique_ptr<Exchange>> exchanges_;
};

// Counts what failed in a row, and says how long to wait before the next try. Not thread-safe.
class Retries {
 public:
  explicit Retries(std::function<void(const std::string&)> note) : note_(std::move(note)) {}

  void reset() { failures_ = 0; }
  // Throws kNetwork if there is to be no other try. REQUIRES: the outcome has a problem.
  std::chrono::milliseconds after(const HttpOutcome& outcome);

 private:
  std::function<void(const std::string&)> note_;
  int failures_ = 0;
};

// A transfer slower than this for hub_download_timeout() counts as dead.
inline constexpr long kLeastSpeed = 1000;  // bytes a second

}  // namespace swinzoo::zoo
