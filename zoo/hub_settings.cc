#include "zoo/hub_settings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "formats/error.h"
#include "formats/json.h"
#include "formats/number.h"

namespace swinzoo::zoo {
namespace {

std::optional<std::string> exactly(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

std::optional<std::string> variable(const std::string& name) {
  const auto own = exactly("SWINZOO_" + name);
  return own ? own : exactly(name);
}

std::filesystem::path home() {
  const char* value = std::getenv("HOME");
  return value != nullptr && *value != '\0' ? value : ".";
}

std::optional<std::filesystem::path> path_variable(const std::string& name) {
  const auto value = variable(name);
  if (!value) return std::nullopt;
  if (*value == "~") return home();
  if (value->starts_with("~/")) return home() / value->substr(2);
  return *value;
}

std::filesystem::path hf_home() {
  if (const auto path = path_variable("HF_HOME")) return *path;
  return user_cache_root() / "huggingface";
}

std::string stripped(const std::string& text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  const auto first = std::find_if_not(text.begin(), text.end(), is_space);
  const auto last = std::find_if_not(text.rbegin(), std::make_reverse_iterator(first), is_space).base();
  return std::string(first, last);
}

bool is_url(const std::string& text) { return text.starts_with("https://") || text.starts_with("http://"); }

// The variable's value, or what holds by default, as a URL without slashes at its end.
std::string as_endpoint(const char* name, const std::optional<std::string>& value, const char* by_default) {
  std::string endpoint = value.value_or(by_default);
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (!is_url(endpoint)) {
    fail(ErrorCode::kUsage, "{} is '{}': expected a URL that starts with https:// or http://", name,
         endpoint);
  }
  return endpoint;
}

}  // namespace

std::string hub_endpoint() {
  return as_endpoint("HF_ENDPOINT", variable("HF_ENDPOINT"), "https://huggingface.co");
}

std::optional<std::string> hub_token() {
  if (const auto token = variable("HF_TOKEN")) return stripped(*token);
  std::ifstream file(path_variable("HF_TOKEN_PATH").value_or(hf_home() / "token"));
  std::ostringstream text;
  text << file.rdbuf();
  const std::string token = stripped(text.str());
  return token.empty() ? std::nullopt : std::optional(token);
}

std::string mirrored_url(const std::string& url) {
  std::istringstream mirrors(exactly("SWINZOO_MIRRORS").value_or(""));
  for (std::string mirror; mirrors >> mirror;) {
    const size_t equals = std::min(mirror.find("=http"), mirror.size());
    const std::string from = mirror.substr(0, equals),
                      to = mirror.substr(std::min(equals + 1, mirror.size()));
    if (!is_url(from) || !is_url(to)) {
      fail(ErrorCode::kUsage, "SWINZOO_MIRRORS has '{}': expected https://FROM/=https://TO/", mirror);
    }
    if (url.starts_with(from)) return to + url.substr(from.size());
  }
  return url;
}

bool hub_offline() {
  std::string value = variable("HF_HUB_OFFLINE").value_or("");
  std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
  return value == "1" || value == "on" || value == "yes" || value == "true";
}

std::string tfhub_endpoint() {
  return as_endpoint("SWINZOO_TFHUB_ENDPOINT", exactly("SWINZOO_TFHUB_ENDPOINT"), "https://tfhub.dev");
}

std::optional<std::filesystem::path> tfhub_cache_root() {
  if (const auto path = path_variable("TFHUB_CACHE_DIR")) return path;
  const auto folder = std::filesystem::path(exactly("TMPDIR").value_or("/tmp")) / "tfhub_modules";
  struct stat status;
  const bool is_ours = ::lstat(folder.c_str(), &status) == 0 && status.st_uid == ::geteuid();
  return is_ours ? std::optional(folder) : std::nullopt;
}

std::string kaggle_endpoint() {
  return as_endpoint("KAGGLE_API_ENDPOINT", variable("KAGGLE_API_ENDPOINT"), "https://www.kaggle.com");
}

std::optional<std::string> kaggle_credentials() {
  const auto user = variable("KAGGLE_USERNAME"), key = variable("KAGGLE_KEY");
  if (user && key) return stripped(*user) + ":" + stripped(*key);
  const std::filesystem::path file =
      path_variable("KAGGLE_CONFIG_DIR").value_or(home() / ".kaggle") / "kaggle.json";
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return std::nullopt;
  const std::string where = file.string();
  const json::value document = read_json(file);
  const auto file_user = find_string(as_object(document, where), "username", where);
  const auto file_key = find_string(as_object(document, where), "key", where);
  if (!file_user || !file_key) fail(ErrorCode::kCorrupt, "{}: has no \"username\" and \"key\"", where);
  return *file_user + ":" + *file_key;
}

std::chrono::seconds hub_download_timeout() {
  const std::string value = variable("HF_HUB_DOWNLOAD_TIMEOUT").value_or("30");
  const auto seconds = whole_number<int>(value);
  if (!seconds || *seconds < 1 || *seconds > 86400) {
    fail(ErrorCode::kUsage, "HF_HUB_DOWNLOAD_TIMEOUT is '{}': expected seconds from 1 to 86400", value);
  }
  return std::chrono::seconds(*seconds);
}

std::filesystem::path user_cache_root() {
  return path_variable("XDG_CACHE_HOME").value_or(home() / ".cache");
}

std::filesystem::path hub_cache_root() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const auto path = path_variable(name)) return *path;
  }
  return hf_home() / "hub";
}

}  // namespace swinzoo::zoo
