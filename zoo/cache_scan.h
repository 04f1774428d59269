// What the caches hold.
//
// Other processes may fetch and remove meanwhile: what vanishes while it is looked at is left out. All throw
// kFailed if a folder can't be read. Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "zoo/cached_model.h"
#include "zoo/own_cache.h"

namespace swinzoo::zoo {

// All repositories of models in Hugging Face's cache, by name; nothing where there is no such folder. It is
// what scan_cache_dir() of huggingface_hub 2.4 finds (utils/_cache_manager.py), and files that no revision
// needs.
std::vector<CachedModel> scan_hf_cache(const std::filesystem::path& root);

// One of them, by its folder ROOT/models--OWNER--REPO.
CachedModel scan_hf_repo(const std::filesystem::path& folder);

// All sources in our own cache (own_cache.h), by name. One that was never whole goes by its folder's name.
std::vector<CachedModel> scan_own_cache();
CachedModel scan_own_cache(const OwnCacheEntry& entry);

}  // namespace swinzoo::zoo
