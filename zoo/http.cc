#include "zoo/http.h"

#include <optional>

#include "formats/error.h"
#include "zoo/transport.h"

namespace swinzoo::zoo {
namespace {

constexpr size_t kMaxAnswer = 64 * 1024 * 1024;
constexpr std::chrono::milliseconds kTick{100};

// Keeps the body as text.
class TextReceiver : public HttpReceiver {
 public:
  std::string begin(const HttpResponse&) override { return ""; }

  std::string append(std::span<const std::byte> bytes) override {
    if (bytes.size() > kMaxAnswer - text_.size()) {
      fail(ErrorCode::kCorrupt, "an answer of more than {} bytes, where a short one was expected",
           kMaxAnswer);
    }
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return "";
  }

  void end(const HttpOutcome& outcome) override {
    outcome_ = outcome;
    if (outcome.response.ok()) outcome_->response.body = std::move(text_);
  }

  const std::optional<HttpOutcome>& outcome() const { return outcome_; }

 private:
  std::string text_;
  std::optional<HttpOutcome> outcome_;
};

}  // namespace

std::string HttpResponse::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? "" : found->second;
}

HttpClient::HttpClient(HttpOptions options)
    : options_(std::move(options)), transport_(std::make_unique<Transport>(options_.cancelled)) {}

HttpClient::~HttpClient() = default;

HttpResponse HttpClient::get(const std::string& url) { return ask({url, options_.auth}); }

HttpResponse HttpClient::head(const std::string& url) { return ask({url, options_.auth, "", true}); }

HttpResponse HttpClient::ask(const HttpRequest& request) {
  for (Retries retries(options_.note);;) {
    TextReceiver receiver;
    const struct Listening {
      Transport& transport;
      const HttpReceiver& receiver;
      ~Listening() { transport.cancel(receiver); }
    } listening{*transport_, receiver};
    transport_->start(request, receiver);
    while (!receiver.outcome()) transport_->poll(kTick);
    if (receiver.outcome()->problem.empty()) return receiver.outcome()->response;
    wait(retries.after(*receiver.outcome()));
  }
}

void HttpClient::wait(std::chrono::milliseconds pause) {
  const auto end = std::chrono::steady_clock::now() + pause;
  while (std::chrono::steady_clock::now() < end) transport_->poll(std::chrono::milliseconds(20));
}

void require_success(const HttpResponse& response) {
  if (response.ok()) return;
  const std::string url = url_for_messages(response.url);
  if (response.status == 404 || response.status == 410) {
    fail(ErrorCode::kNotFound, "{}: not found (the server answered {})", url, response.status);
  }
  fail(ErrorCode::kNetwork, "{}: the server answered {}", url, response.status);
}

}  // namespace swinzoo::zoo
