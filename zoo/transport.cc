#include "zoo/transport.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <random>

#include "formats/error.h"
#include "zoo/hub_settings.h"

namespace swinzoo::zoo {
namespace {

constexpr int kTries = 4;
constexpr int kMaxRedirects = 10;
constexpr std::chrono::seconds kMaxRetryAfter{60};
constexpr size_t kMaxErrorBody = 64 * 1024;
constexpr size_t kMaxHeaders = 1000;
constexpr long kMaxIdleConnections = 64;

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

bool is_busy(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Whether the same request may go well a little later.
bool is_transient(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // what came is no HTTP: the rest of another answer
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

}  // namespace

// One request and its redirects. No exception may pass through curl: they are kept and thrown afterwards.
struct Transport::Exchange {
  struct Free {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  HttpRequest request;
  HttpReceiver* receiver;  // null once it is cancelled
  std::string url = request.url;
  int redirects = 0;
  bool with_auth =
      !request.auth.origin.empty() && !(request.auth.token.empty() && request.auth.user_password.empty());

  HttpResponse response = {};
  bool begun = false;
  std::string problem = {};
  std::exception_ptr error = nullptr;
  char detail[CURL_ERROR_SIZE] = "";
  std::unique_ptr<curl_slist, Free> headers = nullptr;
  std::unique_ptr<CURL, Free> handle = nullptr;

  void prepare();

  // False ends the transfer.
  bool take_header(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (begun) return true;           // a trailer
    if (line.starts_with("HTTP/")) {  // a new answer, after "100 Continue" say
      response.headers.clear();
      const size_t space = std::min(line.find(' '), line.size());
      response.status = std::atoi(std::string(line.substr(space)).c_str());
      return true;
    }
    if (line.empty() && response.ok()) {
      begun = true;
      return accept(receiver->begin(response));
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || response.headers.size() == kMaxHeaders) return true;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
    response.headers[lower_case(line.substr(0, colon))] = value;
    return true;
  }

  bool take_body(std::span<const std::byte> bytes) {
    if (response.ok()) return accept(receiver->append(bytes));
    const size_t room = kMaxErrorBody - response.body.size();
    response.body.append(reinterpret_cast<const char*>(bytes.data()), std::min(room, bytes.size()));
    return true;
  }

  bool accept(std::string refusal) {
    problem = std::move(refusal);
    return problem.empty();
  }

  // What `take` returns, or false where it throws or nobody listens any more.
  template <typename Take>
  bool guarded(const Take& take) {
    try {
      return receiver != nullptr && take();
    } catch (...) {
      error = std::current_exception();
      return false;
    }
  }

  static size_t on_header(char* data, size_t size, size_t count, void* context) {
    auto* self = static_cast<Exchange*>(context);
    const std::string_view line(data, size * count);
    return self->guarded([&] { return self->take_header(line); }) ? line.size() : 0;
  }

  static size_t on_body(char* data, size_t size, size_t count, void* context) {
    auto* self = static_cast<Exchange*>(context);
    const std::span bytes(reinterpret_cast<const std::byte*>(data), size * count);
    return self->guarded([&] { return self->take_body(bytes); }) ? bytes.size() : 0;
  }
};

void Transport::Exchange::prepare() {
  const HttpAuth& auth = request.auth;
  with_auth = with_auth && origin_of(url) == origin_of(auth.origin);
  response = {};
  response.url = url;
  response.with_auth = with_auth;
  problem.clear();
  detail[0] = '\0';
  headers.reset();
  if (with_auth && !auth.token.empty()) {
    headers.reset(curl_slist_append(nullptr, ("Authorization: Bearer " + auth.token).c_str()));
  }

  CURL* curl = handle.get();
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_PRIVATE, this);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  // A connection of its own for each request: streams of HTTP/2 share one, and its speed.
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  if (with_auth && auth.token.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    curl_easy_setopt(curl, CURLOPT_USERPWD, auth.user_password.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "swinzoo/" SWINZOO_VERSION);
  if (request.is_head) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (!request.range.empty()) curl_easy_setopt(curl, CURLOPT_RANGE, request.range.c_str());
  if (const char* file = std::getenv("SSL_CERT_FILE"); file != nullptr && *file != '\0') {
    curl_easy_setopt(curl, CURLOPT_CAINFO, file);
  }
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kLeastSpeed);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(hub_download_timeout().count()));
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L * 1024);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
}

void Transport::Free::operator()(void* multi) const { curl_multi_cleanup(static_cast<CURLM*>(multi)); }

Transport::Transport(std::function<bool()> cancelled) : cancelled_(std::move(cancelled)) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_.reset(curl_multi_init());
  if (initialised != CURLE_OK || !multi_) fail(ErrorCode::kFailed, "libcurl could not be initialised");
  curl_multi_setopt(static_cast<CURLM*>(multi_.get()), CURLMOPT_MAXCONNECTS, kMaxIdleConnections);
}

Transport::~Transport() {
  for (const auto& exchange : exchanges_) exchange->receiver = nullptr;
  remove_cancelled();
}

void Transport::add(Exchange& exchange) {
  exchange.prepare();
  if (curl_multi_add_handle(static_cast<CURLM*>(multi_.get()), exchange.handle.get()) != CURLM_OK) {
    fail(ErrorCode::kFailed, "libcurl takes no more transfers");
  }
}

void Transport::start(HttpRequest request, HttpReceiver& receiver) {
  auto exchange = std::make_unique<Exchange>(std::move(request), &receiver);
  exchange->handle.reset(curl_easy_init());
  if (!exchange->handle) fail(ErrorCode::kFailed, "libcurl could not be initialised");
  add(*exchange);
  exchanges_.push_back(std::move(exchange));
}

void Transport::cancel(const HttpReceiver& receiver) {
  for (const auto& exchange : exchanges_) {
    if (exchange->receiver == &receiver) exchange->receiver = nullptr;
  }
}

void Transport::remove_cancelled() {
  exchanges_.remove_if([&](const auto& exchange) {
    if (exchange->receiver != nullptr) return false;
    curl_multi_remove_handle(static_cast<CURLM*>(multi_.get()), exchange->handle.get());
    return true;
  });
}

bool Transport::follow_redirect(Exchange& exchange, HttpOutcome& outcome) {
  const auto target = resolve_url(exchange.url, outcome.response.header("location"));
  outcome.transient = false;
  if (!target) {
    outcome.problem = "a redirect to something that is no http or https URL";
  } else if (exchange.url.starts_with("https:") && !target->starts_with("https:")) {
    outcome.problem = fmt::format("a redirect from https to {}", url_for_messages(*target));
  } else if (exchange.redirects == kMaxRedirects) {
    outcome.problem = fmt::format("more than {} redirects", kMaxRedirects);
  } else {
    ++exchange.redirects;
    exchange.url = *target;
    add(exchange);
    return true;
  }
  return false;
}

void Transport::finish(Exchange& exchange, int curl_code) {
  const auto code = static_cast<CURLcode>(curl_code);
  CURL* handle = exchange.handle.get();
  curl_off_t retry_after = 0;
  curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
  curl_multi_remove_handle(static_cast<CURLM*>(multi_.get()), handle);
  if (exchange.receiver == nullptr) return;
  if (exchange.error) {
    exchange.receiver = nullptr;
    std::rethrow_exception(exchange.error);
  }

  HttpOutcome outcome;
  outcome.response = std::move(exchange.response);
  outcome.problem = std::move(exchange.problem);
  outcome.retry_after = std::chrono::seconds(retry_after);
  if (!outcome.problem.empty()) {
    // The receiver's own.
  } else if (code != CURLE_OK) {
    outcome.problem = exchange.detail[0] != '\0' ? exchange.detail : curl_easy_strerror(code);
    outcome.transient = is_transient(code);
  } else if (is_busy(outcome.response.status)) {
    outcome.problem = fmt::format("the server answered {}", outcome.response.status);
  } else if (is_redirect(outcome.response.status) && follow_redirect(exchange, outcome)) {
    return;
  }
  HttpReceiver* receiver = std::exchange(exchange.receiver, nullptr);
  receiver->end(outcome);
}

void Transport::poll(std::chrono::milliseconds longest) {
  if (cancelled_ && cancelled_()) fail(ErrorCode::kInterrupted, "interrupted");
  auto* multi = static_cast<CURLM*>(multi_.get());
  int running = 0;
  const CURLMcode code = curl_multi_perform(multi, &running);
  if (code != CURLM_OK) fail(ErrorCode::kFailed, "libcurl: {}", curl_multi_strerror(code));
  int left = 0;
  bool finished = false;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Exchange* exchange = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    finish(*exchange, message->data.result);
    finished = true;
  }
  remove_cancelled();
  if (!finished) curl_multi_poll(multi, nullptr, 0, static_cast<int>(longest.count()), nullptr);
}

void Transport::wake() { curl_multi_wakeup(static_cast<CURLM*>(multi_.get())); }

std::chrono::milliseconds Retries::after(const HttpOutcome& outcome) {
  using std::chrono::milliseconds;
  thread_local std::mt19937 random{std::random_device{}()};
  const std::string why = fmt::format("{}: {}", url_for_messages(outcome.response.url), outcome.problem);
  ++failures_;
  if (!outcome.transient) fail(ErrorCode::kNetwork, "{}", why);
  if (failures_ == kTries) fail(ErrorCode::kNetwork, "{} ({} tries)", why, kTries);
  if (outcome.retry_after > kMaxRetryAfter) {
    fail(ErrorCode::kNetwork, "{}, and asks to wait for {} s", why, outcome.retry_after.count());
  }
  const double full = 500.0 * (1 << (failures_ - 1));
  const milliseconds backoff(static_cast<int64_t>(full * std::uniform_real_distribution(0.5, 1.0)(random)));
  const milliseconds pause = std::max<milliseconds>(backoff, outcome.retry_after);
  if (note_) {
    note_(fmt::format("{}; trying again in {:.1f} s", why, static_cast<double>(pause.count()) / 1000));
  }
  return pause;
}

}  // namespace swinzoo::zoo
