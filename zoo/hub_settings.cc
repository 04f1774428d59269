#include "zoo/hub_settings.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "formats/error.h"

namespace swinzoo::zoo {
namespace {

std::optional<std::string> variable(const std::string& name) {
  for (const std::string& candidate : {"SWINZOO_" + name, name}) {
    const char* value = std::getenv(candidate.c_str());
    if (value != nullptr && *value != '\0') return value;
  }
  return std::nullopt;
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

}  // namespace

std::string hub_endpoint() {
  std::string endpoint = variable("HF_ENDPOINT").value_or("https://huggingface.co");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (!endpoint.starts_with("https://") && !endpoint.starts_with("http://")) {
    fail(ErrorCode::kUsage, "HF_ENDPOINT is '{}': expected a URL that starts with https:// or http://",
         endpoint);
  }
  return endpoint;
}

std::optional<std::string> hub_token() {
  if (const auto token = variable("HF_TOKEN")) return stripped(*token);
  std::ifstream file(path_variable("HF_TOKEN_PATH").value_or(hf_home() / "token"));
  std::ostringstream text;
  text << file.rdbuf();
  const std::string token = stripped(text.str());
  return token.empty() ? std::nullopt : std::optional(token);
}

bool hub_offline() {
  std::string value = variable("HF_HUB_OFFLINE").value_or("");
  std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
  return value == "1" || value == "on" || value == "yes" || value == "true";
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
