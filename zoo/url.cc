#include "zoo/url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <memory>

namespace swinzoo::zoo {
namespace {

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

}  // namespace

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
