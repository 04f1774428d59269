// Fetching a model from the Hugging Face hub into hf's own cache, and finding it there again.
//
// A model's files are its config.json and preprocessor_config.json, where there are such, and its weights:
// the first that the repository has of model.safetensors; model.safetensors.index.json with all its shards;
// pytorch_model.bin; pytorch_model.bin.index.json with its shards; the only other *.safetensors; the only
// *.pth. Files in folders don't count. A model is present when all of them are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swinzoo::zoo {

struct LockedEntry;

struct HubRef {
  std::string repo;               // OWNER/REPO
  std::string revision = "main";  // a branch, a tag or a commit

  std::string text() const;  // hf:OWNER/REPO, and @REV where that is not main
};

bool is_hub_ref(std::string_view text);  // starts with hf:

// "hf:OWNER/REPO[@REV]". Throws kUsage, saying what is wrong; names follow huggingface_hub's
// validate_repo_id().
HubRef parse_hub_ref(std::string_view text);

struct FetchedFile {
  std::string name;            // in the repository
  std::filesystem::path path;  // in the snapshot
  uint64_t size = 0;           // bytes
  std::string sha256;          // of the bytes as they are on disk
  bool downloaded = false;     // now; false = it was in the cache
};

struct Fetched {
  std::filesystem::path folder;  // the snapshot
  std::string commit;
  std::vector<FetchedFile> files;  // configs first
  std::string source = {};         // fetch_model() (fetch.h) says which of several it was
  bool is_local = false;           // a path of the user's own, where nothing is fetched
};

struct FetchOptions {
  bool offline = false;                          // ask nothing of any server; HF_HUB_OFFLINE is not read here
  int connections = 8;                           // at once
  std::function<bool()> cancelled;               // asked often; true ends with kInterrupted, resumable
  std::function<void(const std::string&)> note;  // told of retries, waits and damaged files

  // Globs over a repository's files (glob.h). With any, these are fetched in place of the model's: all that
  // match one of `include` (or all, where that is empty) and none of `exclude`.
  std::vector<std::string> include = {}, exclude = {};

  // Exactly these files of a repository, or kCorrupt. REQUIRES: outlives the call; the revision is its
  // commit.
  const LockedEntry* locked = nullptr;
};

// Told of the bytes there so far of a file that is being downloaded; several are at the same time.
using FetchProgress = std::function<void(const std::string& file, uint64_t done, uint64_t total)>;

// Makes the model present; what already is costs no request for its bytes, but they are read and their
// digests checked. The place of the hub and of its cache is hub_settings.h's. Throws kNotFound (no such
// repository, revision or weights; offline: not in the cache), kNetwork (also where the hub wants a token or
// the licence accepted), kCorrupt, kDiskFull, kUnsupported (several weights and no way to choose),
// kInterrupted. One call at a time a thread.
Fetched fetch_from_hub(const HubRef& ref, const FetchOptions& options, const FetchProgress& progress = {});

struct PlannedFile {
  std::string name;
  std::string url;               // fit for messages; empty where there is none to ask
  std::optional<uint64_t> size;  // bytes; nothing where the server does not tell
  bool is_cached = false;        // there, with that size: no digest is checked
};

// What fetching would do.
struct FetchPlan {
  std::string source;  // the one of several that would be taken
  std::string commit;  // of hf: alone
  std::filesystem::path folder;
  std::vector<PlannedFile> files;
};

// The hub is asked what there is and how big, and for no byte of a file; so of an index of shards that is not
// there yet, all files that are named like shards count. Nothing is written. Throws as fetch_from_hub().
FetchPlan plan_fetch_from_hub(const HubRef& ref, const FetchOptions& options);

// Where a model's files lie, by the rule above. No digest is checked.
struct LocalFiles {
  std::filesystem::path folder;
  std::vector<std::string> names;    // configs first, then the weights; of shards, the index before them
  std::string weights;               // the one of `names` to open: the checkpoint, or the shards' index
  std::vector<std::string> missing;  // shards that the index names and that are not there
};

// The model in a folder; nothing if the folder or all weights are missing. Throws kUnsupported, as
// fetch_from_hub().
std::optional<LocalFiles> find_model_in(const std::filesystem::path& folder);

struct Cached {
  std::string commit;
  LocalFiles files;
};

// The model in the cache: touches no network, and no bytes of the weights.
std::optional<Cached> find_in_cache(const HubRef& ref);

}  // namespace swinzoo::zoo
