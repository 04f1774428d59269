// Where the hub and its cache are, and who asks: Hugging Face's own variables, as huggingface_hub reads them.
//
// Of each variable NAME below, SWINZOO_NAME wins over NAME; an empty one counts as unset. Thread-safe as long
// as no thread changes the environment.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace swinzoo::zoo {

// HF_ENDPOINT without its trailing slashes, or https://huggingface.co. Throws kUsage if it is no http(s) URL.
std::string hub_endpoint();

// HF_TOKEN, else the content of HF_TOKEN_PATH, else of HF_HOME/token; without white space around it.
std::optional<std::string> hub_token();

// HF_HUB_OFFLINE is 1, on, yes or true, in any case.
bool hub_offline();

// XDG_CACHE_HOME, else ~/.cache: where programs keep what can be made again.
std::filesystem::path user_cache_root();

// HF_HUB_CACHE, else HUGGINGFACE_HUB_CACHE (its older name), else HF_HOME/hub; HF_HOME is
// user_cache_root()/huggingface by default. A leading ~ is HOME.
std::filesystem::path hub_cache_root();

}  // namespace swinzoo::zoo
