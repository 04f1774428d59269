// Where the hubs and their caches are, and who asks: Hugging Face's own variables, as huggingface_hub reads
// them, tensorflow_hub's and kagglehub's.
//
// Of each variable NAME below, SWINZOO_NAME wins over NAME; an empty one counts as unset. Thread-safe as long
// as no thread changes the environment.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace swinzoo::zoo {

// HF_ENDPOINT without its trailing slashes, or https://huggingface.co. Throws kUsage if it is no http(s) URL.
std::string hub_endpoint();

// HF_TOKEN, else the content of HF_TOKEN_PATH, else of HF_HOME/token; without white space around it.
std::optional<std::string> hub_token();

// What to ask for instead of `url`: SWINZOO_MIRRORS holds "FROM=TO" between spaces, and the first FROM that
// the URL starts with is replaced by its TO. Throws kUsage if TO or FROM is no http(s) URL.
std::string mirrored_url(const std::string& url);

// HF_HUB_OFFLINE is 1, on, yes or true, in any case.
bool hub_offline();

// HF_HUB_DOWNLOAD_TIMEOUT, in whole seconds: how long a transfer may all but stand still. 30 s by default
// (huggingface_hub's is 10). Throws kUsage if it is no number from 1 to 86400.
std::chrono::seconds hub_download_timeout();

// XDG_CACHE_HOME, else ~/.cache: where programs keep what can be made again.
std::filesystem::path user_cache_root();

// SWINZOO_TFHUB_ENDPOINT without its trailing slashes, or https://tfhub.dev. Throws kUsage if it is no
// http(s) URL.
std::string tfhub_endpoint();

// TFHUB_CACHE_DIR, else tfhub_modules in TMPDIR, or /tmp: where tensorflow_hub unpacks to (resolver.py).
// Nothing where that last folder is another user's: anybody may write to /tmp.
std::optional<std::filesystem::path> tfhub_cache_root();

// KAGGLE_API_ENDPOINT without its trailing slashes, or https://www.kaggle.com. Throws kUsage if it is no
// http(s) URL.
std::string kaggle_endpoint();

// "USER:KEY" of KAGGLE_USERNAME and KAGGLE_KEY, else of kaggle.json in KAGGLE_CONFIG_DIR, or ~/.kaggle
// (kagglehub's config.py). Throws kCorrupt if that file holds no "username" and "key".
std::optional<std::string> kaggle_credentials();

// HF_HUB_CACHE, else HUGGINGFACE_HUB_CACHE (its older name), else HF_HOME/hub; HF_HOME is
// user_cache_root()/huggingface by default. A leading ~ is HOME.
std::filesystem::path hub_cache_root();

}  // namespace swinzoo::zoo
