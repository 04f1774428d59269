// URLs: taken apart, joined, compared, and stripped of secrets (libcurl's parser). Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace swinzoo::zoo {

// All but letters, digits and "-._~" as %XX; '/' stays where `keep_slashes`.
std::string percent_encode(std::string_view text, bool keep_slashes);

// `target` as seen from `base`: a Location or a Link. Nothing if that is no http(s) URL.
std::optional<std::string> resolve_url(const std::string& base, const std::string& target);

// "scheme://host:port", lower-case, the port always there; empty if `url` is no URL.
std::string origin_of(const std::string& url);

// `url` without user, password, query and fragment, which may be secrets.
std::string url_for_messages(const std::string& url);

}  // namespace swinzoo::zoo
