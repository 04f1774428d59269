#include "zoo/source.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "formats/error.h"
#include "zoo/hub.h"
#include "zoo/hub_settings.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTfHub = "tfhub:";
constexpr std::string_view kKaggle = "kaggle:";
constexpr std::string_view kTfHubSite = "https://tfhub.dev/";
constexpr std::string_view kKagglePages = "https://www.kaggle.com/models/";
constexpr std::string_view kDigest = "#sha256=";
constexpr size_t kMostOfFileName = 100;

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t slash = text.find('/');
    parts.push_back(text.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    text.remove_prefix(slash + 1);
  }
}

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

bool is_name(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && std::all_of(part.begin(), part.end(), is_plain);
}

// "OWNER/.../VERSION" with names of plain characters and a version of digits.
void check_handle(std::string_view text, std::string_view handle, bool count_is_right, const char* form) {
  const auto parts = split(handle);
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (!count_is_right || !std::all_of(parts.begin(), parts.end(), is_name) ||
      !std::all_of(parts.back().begin(), parts.back().end(), is_digit)) {
    fail(ErrorCode::kUsage, "'{}': expected {}", text, form);
  }
}

std::string take_digest(std::string_view& text) {
  const size_t at = text.find(kDigest);
  if (at == std::string_view::npos) return "";
  const std::string digest(text.substr(at + kDigest.size()));
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (digest.size() != 64 || !std::all_of(digest.begin(), digest.end(), is_hex)) {
    fail(ErrorCode::kUsage, "'{}': expected 64 lower-case hex digits behind {}", text, kDigest);
  }
  text = text.substr(0, at);
  return digest;
}

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned count = 0;
  if (EVP_Digest(text.data(), text.size(), bytes.data(), &count, EVP_sha1(), nullptr) != 1) {
    fail(ErrorCode::kFailed, "OpenSSL has no SHA-1");
  }
  std::string hex;
  for (unsigned i = 0; i < count; ++i) hex += fmt::format("{:02x}", bytes[i]);
  return hex;
}

}  // namespace

std::string Source::handle() const { return text.substr(text.find(':') + 1); }

std::string Source::for_messages() const { return kind == SourceKind::kUrl ? url_for_messages(text) : text; }

fs::path Source::path() const { return text; }

std::string Source::file_name() const {
  const auto parts = split(text);
  if (kind != SourceKind::kUrl) {  // the part in front of the version
    return fmt::format("{}.tar.gz", parts[parts.size() - 2]);
  }
  const std::string path = url_for_messages(text);
  std::string name;
  for (const char c : path.substr(path.rfind('/') + 1)) name += is_plain(c) ? c : '_';
  if (name.size() > kMostOfFileName) name.erase(0, name.size() - kMostOfFileName);
  // Not one of the names that the cache has for itself.
  const bool is_taken = name.starts_with("record.json") || name.starts_with("unpacked");
  return name.find_first_not_of('.') == std::string::npos || is_taken ? "file-" + name : name;
}

std::string Source::url() const {
  switch (kind) {
    case SourceKind::kTfHub:
      return fmt::format("{}/{}?tf-hub-format=compressed", tfhub_endpoint(), handle());
    case SourceKind::kKaggle:
      return fmt::format("{}/api/v1/models/{}/download", kaggle_endpoint(), handle());
    default:
      return mirrored_url(text);
  }
}

HttpAuth Source::auth() const {
  if (kind != SourceKind::kKaggle) return {};
  return {"", kaggle_credentials().value_or(""), kaggle_endpoint()};
}

Source parse_source(std::string_view text) {
  if (is_hub_ref(text)) return {SourceKind::kHub, parse_hub_ref(text).text(), ""};
  const auto is_url = [](std::string_view t) {
    return t.starts_with("https://") || t.starts_with("http://");
  };
  if (!text.starts_with(kTfHub) && !text.starts_with(kKaggle) && !is_url(text)) {
    return {SourceKind::kPath, std::string(text.starts_with("file:") ? text.substr(5) : text), ""};
  }
  std::string_view rest = text;
  Source source{SourceKind::kUrl, "", take_digest(rest)};
  const bool is_page = rest.starts_with(kTfHubSite);
  if (rest.starts_with(kTfHub) || is_page) {
    const std::string_view handle = rest.substr((is_page ? kTfHubSite : kTfHub).size());
    check_handle(text, handle, split(handle).size() >= 3, "tfhub:OWNER/NAME/VERSION");
    source.kind = SourceKind::kTfHub;
    source.text = fmt::format("{}{}", kTfHub, handle);
  } else if (rest.starts_with(kKaggle) || rest.starts_with(kKagglePages)) {
    const std::string_view handle = rest.substr((rest.starts_with(kKaggle) ? kKaggle : kKagglePages).size());
    check_handle(text, handle, split(handle).size() == 5, "kaggle:OWNER/MODEL/FRAMEWORK/VARIATION/VERSION");
    source.kind = SourceKind::kKaggle;
    source.text = fmt::format("{}{}", kKaggle, handle);
  } else {
    const std::string url(rest.substr(0, rest.find('#')));
    if (origin_of(url).empty()) fail(ErrorCode::kUsage, "'{}' is no URL", text);
    source.text = url;
  }
  return source;
}

std::optional<fs::path> find_in_tfhub_cache(const Source& source) {
  const auto root = tfhub_cache_root();
  if (source.kind != SourceKind::kTfHub || !root) return std::nullopt;
  const fs::path folder = *root / sha1_hex(fmt::format("{}{}", kTfHubSite, source.handle()));
  std::error_code error;
  return fs::is_regular_file(folder / "saved_model.pb", error) ? std::optional(folder) : std::nullopt;
}

}  // namespace swinzoo::zoo
