#include "zoo/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <random>
#include <thread>

#include "formats/error.h"

namespace swinzoo::zoo {
namespace {

constexpr int kTries = 4;
constexpr int kMaxRedirects = 10;
constexpr long kMaxRetryAfter = 60;  // seconds
constexpr size_t kMaxInMemory = 64 * 1024 * 1024;
constexpr size_t kMaxErrorBody = 64 * 1024;

class StringSink : public HttpSink {
 public:
  uint64_t size() const override { return text_.size(); }
  void restart() override { text_.clear(); }
  void append(std::span<const std::byte> bytes) override {
    if (bytes.size() > kMaxInMemory - text_.size()) {
      fail(ErrorCode::kCorrupt, "an answer of more than {} bytes, where a short one was expected",
           kMaxInMemory);
    }
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlPtr = std::unique_ptr<CURLU, FreeUrl>;

UrlPtr parse_url(const std::string& text) {
  UrlPtr url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return nullptr;
  return url;
}

std::string url_part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  std::string copy(text);
  curl_free(text);
  return copy;
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
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
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

// The first byte's offset in "bytes 100-199/200", or nothing.
std::optional<uint64_t> content_range_start(const std::string& value) {
  if (!value.starts_with("bytes ") || value.size() < 7 ||
      !std::isdigit(static_cast<unsigned char>(value[6]))) {
    return std::nullopt;
  }
  return std::strtoull(value.c_str() + 6, nullptr, 10);
}

}  // namespace

// What curl's callbacks see of a request. No exception may pass through curl: they are kept and thrown
// afterwards.
struct HttpClient::Transfer {
  HttpSink& sink;
  const HttpOptions& options;
  uint64_t offset;  // asked for
  HttpResponse response = {};
  bool begun = false;        // the sink is being filled
  bool wrong_range = false;  // the server answered another range than was asked for
  std::exception_ptr error = nullptr;

  void take_header(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {  // a new answer, after "100 Continue" say
      response.headers.clear();
      return;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
    response.headers[lower_case(std::string(line.substr(0, colon)))] = value;
  }

  bool take_body(int status, std::span<const std::byte> bytes) {
    if (status != 200 && status != 206) {
      const size_t room = kMaxErrorBody - response.body.size();
      response.body.append(reinterpret_cast<const char*>(bytes.data()), std::min(room, bytes.size()));
      return true;
    }
    if (!begun) {
      if (status == 206 && content_range_start(response.header("content-range")) != offset) {
        wrong_range = true;
        return false;
      }
      if (status == 200 && sink.size() > 0) sink.restart();
      begun = true;
    }
    sink.append(bytes);
    return true;
  }

  static size_t on_header(char* data, size_t size, size_t count, void* self) {
    static_cast<Transfer*>(self)->take_header({data, size * count});
    return size * count;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto& cancelled = static_cast<Transfer*>(self)->options.cancelled;
    return cancelled && cancelled() ? 1 : 0;
  }

  struct Body {
    Transfer* transfer;
    CURL* handle;
  };

  static size_t on_body(char* data, size_t size, size_t count, void* context) {
    const auto* body = static_cast<Body*>(context);
    long status = 0;
    curl_easy_getinfo(body->handle, CURLINFO_RESPONSE_CODE, &status);
    try {
      const std::span bytes(reinterpret_cast<const std::byte*>(data), size * count);
      return body->transfer->take_body(static_cast<int>(status), bytes) ? bytes.size() : 0;
    } catch (...) {
      body->transfer->error = std::current_exception();
      return 0;
    }
  }
};

// A response, or why there is none that can be used.
struct HttpClient::Answer {
  HttpResponse response;
  std::string problem;    // empty = the response is good, whatever its status
  bool transient = true;  // the problem may go away
  long retry_after = 0;   // seconds
};

std::string HttpResponse::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? "" : found->second;
}

void HttpClient::Free::operator()(void* handle) const { curl_easy_cleanup(handle); }

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  handle_.reset(curl_easy_init());
  if (initialised != CURLE_OK || !handle_) fail(ErrorCode::kFailed, "libcurl could not be initialised");
}

HttpClient::~HttpClient() = default;

void HttpClient::check_cancelled() const {
  if (options_.cancelled && options_.cancelled()) fail(ErrorCode::kInterrupted, "interrupted");
}

HttpClient::Answer HttpClient::perform(const std::string& url, bool with_token, HttpSink& sink) {
  CURL* handle = handle_.get();
  curl_easy_reset(handle);  // keeps the connections
  Transfer transfer{sink, options_, sink.size()};
  Transfer::Body body{&transfer, handle};
  char detail[CURL_ERROR_SIZE] = "";

  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, &curl_slist_free_all);
  if (with_token)
    headers.reset(curl_slist_append(nullptr, ("Authorization: Bearer " + options_.token).c_str()));
  const std::string range = fmt::format("{}-", transfer.offset);

  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "swinzoo/" SWINZOO_VERSION);
  if (transfer.offset > 0) curl_easy_setopt(handle, CURLOPT_RANGE, range.c_str());
  if (const char* file = std::getenv("SSL_CERT_FILE"); file != nullptr && *file != '\0') {
    curl_easy_setopt(handle, CURLOPT_CAINFO, file);
  }
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, 30L);
  curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, 256L * 1024);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &transfer);

  const CURLcode code = curl_easy_perform(handle);
  if (transfer.error) std::rethrow_exception(transfer.error);
  if (code == CURLE_ABORTED_BY_CALLBACK) fail(ErrorCode::kInterrupted, "interrupted");

  long status = 0;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
  Answer answer{std::move(transfer.response), "", true, static_cast<long>(retry_after)};
  answer.response.status = static_cast<int>(status);
  answer.response.url = url;
  if (transfer.wrong_range || status == 416) {
    sink.restart();
    answer.problem = fmt::format("the server did not send the bytes from {} on", transfer.offset);
  } else if (code != CURLE_OK) {
    answer.problem = *detail != '\0' ? detail : curl_easy_strerror(code);
    answer.transient = is_transient(code);
  } else if (is_busy(answer.response.status)) {
    answer.problem = fmt::format("the server answered {}", status);
  } else if (status == 200 && !transfer.begun) {  // an empty body
    sink.restart();
  }
  return answer;
}

HttpClient::Answer HttpClient::follow_redirects(const std::string& first, HttpSink& sink) {
  std::string url = first;
  bool with_token = !options_.token.empty() && !options_.origin.empty();
  for (int redirects = 0;; ++redirects) {
    with_token = with_token && origin_of(url) == origin_of(options_.origin);
    Answer answer = perform(url, with_token, sink);
    if (!answer.problem.empty() || !is_redirect(answer.response.status)) return answer;

    const auto target = resolve_url(url, answer.response.header("location"));
    answer.transient = false;
    if (!target) {
      answer.problem = "a redirect to something that is no http or https URL";
    } else if (url.starts_with("https:") && !target->starts_with("https:")) {
      answer.problem = fmt::format("a redirect from https to {}", url_for_messages(*target));
    } else if (redirects == kMaxRedirects) {
      answer.problem = fmt::format("more than {} redirects", kMaxRedirects);
    } else {
      url = *target;
      continue;
    }
    return answer;
  }
}

void HttpClient::wait_before_retry(int failures, long retry_after, const std::string& why) {
  using std::chrono::milliseconds;
  thread_local std::mt19937 random{std::random_device{}()};
  const double full = 500.0 * (1 << (failures - 1));
  const auto backoff = static_cast<int64_t>(full * std::uniform_real_distribution(0.5, 1.0)(random));
  const milliseconds pause(std::max<int64_t>(backoff, retry_after * 1000));
  if (options_.note) {
    options_.note(
        fmt::format("{}; trying again in {:.1f} s", why, static_cast<double>(pause.count()) / 1000));
  }
  const auto end = std::chrono::steady_clock::now() + pause;
  while (std::chrono::steady_clock::now() < end) {
    check_cancelled();
    std::this_thread::sleep_for(milliseconds(20));
  }
}

HttpResponse HttpClient::download(const std::string& url, HttpSink& sink) {
  for (int failures = 0;;) {
    check_cancelled();
    const uint64_t before = sink.size();
    Answer answer = follow_redirects(url, sink);
    if (answer.problem.empty()) return std::move(answer.response);

    const std::string why = fmt::format("{}: {}", url_for_messages(answer.response.url), answer.problem);
    if (sink.size() > before) failures = 0;
    ++failures;
    if (!answer.transient) fail(ErrorCode::kNetwork, "{}", why);
    if (failures == kTries) fail(ErrorCode::kNetwork, "{} ({} tries)", why, kTries);
    if (answer.retry_after > kMaxRetryAfter) {
      fail(ErrorCode::kNetwork, "{}, and asks to wait for {} s", why, answer.retry_after);
    }
    wait_before_retry(failures, answer.retry_after, why);
  }
}

HttpResponse HttpClient::get(const std::string& url) {
  StringSink sink;
  HttpResponse response = download(url, sink);
  if (response.ok()) response.body = sink.take();
  return response;
}

void require_success(const HttpResponse& response) {
  if (response.ok()) return;
  const std::string url = url_for_messages(response.url);
  if (response.status == 404 || response.status == 410) {
    fail(ErrorCode::kNotFound, "{}: not found (the server answered {})", url, response.status);
  }
  fail(ErrorCode::kNetwork, "{}: the server answered {}", url, response.status);
}

std::string percent_encode(std::string_view text, bool keep_slashes) {
  std::string encoded;
  for (const unsigned char c : text) {
    const bool plain =
        std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && keep_slashes);
    if (plain) encoded += static_cast<char>(c);
    if (!plain) encoded += fmt::format("%{:02X}", c);
  }
  return encoded;
}

std::optional<std::string> resolve_url(const std::string& base, const std::string& target) {
  const UrlPtr url = parse_url(base);
  if (!url || target.empty() || curl_url_set(url.get(), CURLUPART_URL, target.c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  const std::string resolved = url_part(url.get(), CURLUPART_URL);
  if (!resolved.starts_with("http://") && !resolved.starts_with("https://")) return std::nullopt;
  return resolved;
}

std::string origin_of(const std::string& text) {
  const UrlPtr url = parse_url(text);
  if (!url) return "";
  return lower_case(fmt::format("{}://{}:{}", url_part(url.get(), CURLUPART_SCHEME),
                                url_part(url.get(), CURLUPART_HOST),
                                url_part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT)));
}

std::string url_for_messages(const std::string& text) {
  const UrlPtr url = parse_url(text);
  if (!url) return "(no URL)";
  for (const CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    curl_url_set(url.get(), part, nullptr, 0);
  }
  return url_part(url.get(), CURLUPART_URL);
}

}  // namespace swinzoo::zoo
