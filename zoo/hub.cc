#include "zoo/hub.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "formats/error.h"
#include "formats/json.h"
#include "formats/sha256.h"
#include "formats/sharded.h"
#include "zoo/folder_lock.h"
#include "zoo/hf_cache.h"
#include "zoo/http.h"
#include "zoo/hub_files.h"
#include "zoo/hub_settings.h"
#include "zoo/lock_file.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScheme = "hf:";
constexpr int kMaxTreePages = 1000;

bool is_name_part(std::string_view text) {
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), is_plain);
}

// A session with one repository of the hub.
class HubRepo {
 public:
  HubRepo(const HubRef& ref, const FetchOptions& options)
      : ref_(ref),
        endpoint_(hub_endpoint()),
        token_(hub_token().value_or("")),
        client_({{token_, "", endpoint_}, options.cancelled, options.note}) {}

  // The commit that the revision stands for now.
  std::string commit() {
    const HttpResponse response = client_.get(fmt::format("{}/api/models/{}/revision/{}", endpoint_,
                                                          ref_.repo, percent_encode(ref_.revision, false)));
    require_answer(response);
    const json::value document = parse_json(response.body, response.url);
    const std::string sha = find_string(as_object(document, response.url), "sha", response.url).value_or("");
    if (!HfRepoCache::is_commit(sha)) {
      fail(ErrorCode::kCorrupt, "{}: 'sha' is '{}', expected a commit's 40 hex digits", response.url, sha);
    }
    return sha;
  }

  std::vector<RemoteFile> tree(const std::string& commit) {
    std::vector<RemoteFile> files;
    std::string url = fmt::format("{}/api/models/{}/tree/{}?recursive=true", endpoint_, ref_.repo, commit);
    for (int page = 0; !url.empty(); ++page) {
      if (page == kMaxTreePages)
        fail(ErrorCode::kCorrupt, "{}: more than {} pages of files", ref_.text(), page);
      const HttpResponse response = client_.get(url);
      require_answer(response);
      const std::string where = url_for_messages(response.url);
      const json::value document = parse_json(response.body, where);
      for (const json::value& entry : as_array(document, where)) {
        const json::object& object = as_object(entry, where);
        if (find_string(object, "type", where) == "file") files.push_back(remote_file(object, where));
      }
      url = next_page(response);
    }
    return files;
  }

  std::string url_of(const std::string& commit, const std::string& file) const {
    return fmt::format("{}/{}/resolve/{}/{}", endpoint_, ref_.repo, commit, percent_encode(file, true));
  }

  // Makes the targets of `requests`, which are named by the files' paths.
  void download(const std::string& commit, std::vector<DownloadRequest> requests, TransferOptions options) {
    for (DownloadRequest& request : requests) {
      request.url = url_of(commit, request.name);
      request.auth = {token_, "", endpoint_};
    }
    options.refused = [this](const DownloadRequest&, const HttpResponse& response) {
      require_answer(response);
    };
    zoo::download(requests, options);
  }

 private:
  static RemoteFile remote_file(const json::object& entry, const std::string& where) {
    RemoteFile file;
    file.path = find_string(entry, "path", where).value_or("");
    file.blob_id = find_string(entry, "oid", where).value_or("");
    file.xet_hash = find_string(entry, "xetHash", where).value_or("");
    int64_t size = find_int(entry, "size", where).value_or(-1);
    if (const json::value* lfs = find_member(entry, "lfs")) {
      const json::object& object = as_object(*lfs, where);
      file.lfs_sha256 = find_string(object, "oid", where).value_or("");
      size = find_int(object, "size", where).value_or(-1);
    }
    if (size < 0) fail(ErrorCode::kCorrupt, "{}: gives no size of '{}'", where, file.path);
    file.size = static_cast<uint64_t>(size);
    return file;
  }

  // The rel="next" of a Link header; empty on the last page.
  static std::string next_page(const HttpResponse& response) {
    const std::string link = response.header("link");
    const size_t end = link.find(">; rel=\"next\"");
    const size_t start = end == std::string::npos ? end : link.rfind('<', end);
    if (start == std::string::npos) return "";
    return resolve_url(response.url, link.substr(start + 1, end - start - 1)).value_or("");
  }

  // Throws what the hub's refusals mean; see hf_raise_for_status() in huggingface_hub's utils/_http.py.
  void require_answer(const HttpResponse& response) const {
    if (response.ok()) return;
    const std::string code = response.header("x-error-code");
    const std::string message = response.header("x-error-message");
    const std::string who = token_.empty() ? "set HF_TOKEN to the token of an account that may"
                                           : "the token that was sent (HF_TOKEN, or hf's own) may not";
    if (code == "GatedRepo") {
      fail(ErrorCode::kNetwork, "{}: is gated: accept its conditions on {}/{}, and send a token: {} read it",
           ref_.text(), endpoint_, ref_.repo, who);
    }
    if (code == "RevisionNotFound") {
      fail(ErrorCode::kNotFound, "{}: the repository has no revision '{}'", ref_.text(), ref_.revision);
    }
    if (response.status == 401 && message == "Invalid credentials in Authorization header") {
      fail(ErrorCode::kNetwork, "{}: {} refused the token that was sent (HF_TOKEN, or hf's own)", ref_.text(),
           endpoint_);
    }
    if (code == "RepoNotFound" || (response.status == 401 && code.empty())) {
      fail(ErrorCode::kNotFound, "{}: {} has no such repository, or it is private: {} read it", ref_.text(),
           endpoint_, who);
    }
    if (response.status == 401 || response.status == 403) {
      fail(ErrorCode::kNetwork, "{}: {} answered {}{}: {} read it", ref_.text(), endpoint_, response.status,
           message.empty() ? "" : " (" + message + ")", who);
    }
    require_success(response);
  }

  const HubRef ref_;
  const std::string endpoint_;
  const std::string token_;
  HttpClient client_;
};

[[noreturn]] void fail_offline(const HubRef& ref) {
  fail(ErrorCode::kNotFound,
       "{}: is not in the cache {}, and swinzoo is offline (--offline or HF_HUB_OFFLINE)", ref.text(),
       hub_cache_root().string());
}

bool has_globs(const FetchOptions& options) { return !options.include.empty() || !options.exclude.empty(); }

// Throws where a file is not what was locked.
void check_locked(const LockedFile& locked, uint64_t size, const std::string& sha256, const HubRef& ref) {
  if (size == locked.size && (sha256.empty() || sha256 == locked.sha256)) return;
  fail(ErrorCode::kCorrupt, "{}: {} is not what was locked: expected {} bytes with the SHA-256 {}, got {}{}",
       ref.text(), locked.name, locked.size, locked.sha256, size, sha256.empty() ? "" : " with " + sha256);
}

void check_locked(const LockedEntry& locked, const Fetched& fetched, const HubRef& ref) {
  for (const FetchedFile& file : fetched.files)
    check_locked(*locked.find(file.name), file.size, file.sha256, ref);
}

std::vector<std::string> names_of(const LockedEntry& locked) {
  std::vector<std::string> names;
  for (const LockedFile& file : locked.files) names.push_back(file.name);
  return names;
}

std::set<std::string> names_of(const std::vector<RemoteFile>& tree) {
  std::set<std::string> names;
  for (const RemoteFile& file : tree) names.insert(file.path);
  return names;
}

bool is_there(const fs::path& path, uint64_t size) {
  std::error_code error;
  return fs::is_regular_file(path, error) && fs::file_size(path, error) == size;
}

// One fetch: what is known of the commit, and what was done so far.
class Fetch {
 public:
  Fetch(const HubRef& ref, const FetchOptions& options, const FetchProgress& progress)
      : ref_(ref),
        options_(options),
        progress_(progress),
        cache_(hub_cache_root(), ref.repo),
        hub_(ref, options) {}

  Fetched run() {
    find_commit();
    if (!known_tree_) cache_.write_tree(result_.commit, tree_);
    const std::vector<std::string> chosen = choose();
    const FolderLock lock = FolderLock::use(cache_.folder(), {options_.cancelled, options_.note});
    fetch(chosen);
    if (is_model() && is_shard_index(chosen.back())) {
      const auto shards = shards_of(read_shard_index(result_.folder / chosen.back()));
      fetch({shards.begin(), shards.end()});
    }
    if (options_.locked != nullptr) check_locked(*options_.locked, result_, ref_);
    cache_.write_ref(ref_.revision, result_.commit);
    return std::move(result_);
  }

  FetchPlan plan() {
    find_commit();
    std::vector<std::string> names = choose();
    if (is_model() && is_shard_index(names.back())) {
      const fs::path index = result_.folder / names.back();
      std::error_code error;
      std::vector<std::string> shards = likely_shards(names_of(tree_), names.back());
      if (fs::exists(index, error)) {
        const auto listed = shards_of(read_shard_index(index));
        shards.assign(listed.begin(), listed.end());
      }
      names.insert(names.end(), shards.begin(), shards.end());
    }
    FetchPlan plan{ref_.text(), result_.commit, result_.folder, {}};
    for (const std::string& name : names) {
      const uint64_t size = listed_file(name).size;
      plan.files.push_back(
          {name, hub_.url_of(result_.commit, name), size, is_there(result_.folder / name, size)});
    }
    return plan;
  }

 private:
  void find_commit() {
    result_.commit = HfRepoCache::is_commit(ref_.revision) ? ref_.revision : hub_.commit();
    result_.folder = cache_.snapshot(result_.commit);
    auto known = cache_.read_tree(result_.commit);
    known_tree_ = known.has_value();
    tree_ = known ? std::move(*known) : hub_.tree(result_.commit);
  }

  // Whether the files are chosen by hub.h's rule.
  bool is_model() const { return options_.locked == nullptr && !has_globs(options_); }

  std::vector<std::string> choose() {
    if (options_.locked != nullptr) {
      for (const LockedFile& locked : options_.locked->files) {
        const RemoteFile& file = listed_file(locked.name);
        check_locked(locked, file.size, file.lfs_sha256, ref_);
      }
      return names_of(*options_.locked);
    }
    const std::set<std::string> names = names_of(tree_);
    if (has_globs(options_)) return choose_by_globs(names, options_.include, options_.exclude, ref_.text());
    const std::string weights = choose_weights(names, ref_.text());
    if (weights.empty()) {
      fail(ErrorCode::kNotFound,
           "{}: has no weights (model.safetensors, pytorch_model.bin, *.safetensors, *.pth)", ref_.text());
    }
    return choose_files(names, weights);
  }

  const RemoteFile& listed_file(const std::string& name) const {
    const auto file = std::find_if(tree_.begin(), tree_.end(), [&](const auto& f) { return f.path == name; });
    if (file == tree_.end())
      fail(ErrorCode::kCorrupt, "{}: names {}, which it does not have", ref_.text(), name);
    return *file;
  }

  void fetch(const std::vector<std::string>& names) {
    std::vector<RemoteFile> files;
    for (const std::string& name : names) {
      files.push_back(listed_file(name));
      if (options_.locked != nullptr) files.back().block_digests = options_.locked->find(name)->blocks;
    }
    TransferOptions transfer;
    transfer.connections = options_.connections;
    transfer.cancelled = options_.cancelled;
    transfer.note = options_.note;
    if (progress_) {
      transfer.progress = [&](const DownloadRequest& request, uint64_t done, uint64_t total) {
        progress_(request.name, done, total);
      };
    }
    const auto download = [&](std::vector<DownloadRequest> requests) {
      hub_.download(result_.commit, std::move(requests), transfer);
    };
    const std::vector<bool> downloaded =
        cache_.store(result_.commit, files, download, {options_.cancelled, options_.note});
    for (size_t i = 0; i < files.size(); ++i) {
      const fs::path path = result_.folder / names[i];
      const std::string sha256 = files[i].lfs_sha256.empty() ? sha256_of_file(path) : files[i].lfs_sha256;
      result_.files.push_back({names[i], path, files[i].size, sha256, downloaded[i]});
    }
  }

  const HubRef& ref_;
  const FetchOptions& options_;
  const FetchProgress& progress_;
  HfRepoCache cache_;
  HubRepo hub_;
  std::vector<RemoteFile> tree_;
  bool known_tree_ = false;  // it was in the cache
  Fetched result_;
};

// What is wanted of the commit that the cache has for the revision.
struct Offline {
  std::string commit;
  std::vector<RemoteFile> tree;  // empty where it was never listed
  std::vector<std::string> names;

  const RemoteFile* find(const std::string& name) const {
    const auto file = std::find_if(tree.begin(), tree.end(), [&](const auto& f) { return f.path == name; });
    return file == tree.end() ? nullptr : &*file;
  }
};

Offline look_offline(const HubRef& ref, const FetchOptions& options) {
  const HfRepoCache cache(hub_cache_root(), ref.repo);
  const auto commit = cache.commit_of(ref.revision);
  if (!commit) fail_offline(ref);
  Offline offline{*commit, cache.read_tree(*commit).value_or(std::vector<RemoteFile>()), {}};
  if (options.locked != nullptr) {
    offline.names = names_of(*options.locked);
  } else if (has_globs(options)) {
    if (offline.tree.empty()) fail_offline(ref);
    offline.names = choose_by_globs(names_of(offline.tree), options.include, options.exclude, ref.text());
  } else {
    const auto cached = find_in_cache(ref);
    if (!cached) fail_offline(ref);
    offline.names = cached->files.names;
  }
  return offline;
}

// What the cache holds, its digests checked where the commit's list of files is there to check them against.
Fetched fetch_offline(const HubRef& ref, const FetchOptions& options) {
  const HfRepoCache cache(hub_cache_root(), ref.repo);
  const Offline offline = look_offline(ref, options);
  Fetched fetched{cache.snapshot(offline.commit), offline.commit, {}};
  for (const std::string& name : offline.names) {
    const fs::path path = fetched.folder / name;
    std::error_code error;
    if (!fs::is_regular_file(path, error)) fail_offline(ref);
    const RemoteFile* file = offline.find(name);
    if (file != nullptr && !cache.holds(offline.commit, *file, options.cancelled)) {
      fail(ErrorCode::kCorrupt, "{}: is damaged: expected {} bytes with the digest {}; fetch it again online",
           path.string(), file->size, file->etag());
    }
    fetched.files.push_back({name, path, fs::file_size(path), sha256_of_file(path), false});
  }
  if (options.locked != nullptr) check_locked(*options.locked, fetched, ref);
  return fetched;
}

FetchPlan plan_offline(const HubRef& ref, const FetchOptions& options) {
  const Offline offline = look_offline(ref, options);
  FetchPlan plan{
      ref.text(), offline.commit, HfRepoCache(hub_cache_root(), ref.repo).snapshot(offline.commit), {}};
  for (const std::string& name : offline.names) {
    std::error_code error;
    if (!fs::is_regular_file(plan.folder / name, error)) fail_offline(ref);
    plan.files.push_back({name, "", fs::file_size(plan.folder / name), true});
  }
  return plan;
}

}  // namespace

std::string HubRef::text() const {
  return fmt::format("{}{}{}", kScheme, repo, revision == "main" ? "" : "@" + revision);
}

bool is_hub_ref(std::string_view text) { return text.starts_with(kScheme); }

HubRef parse_hub_ref(std::string_view text) {
  std::string_view rest = text;
  if (is_hub_ref(text)) rest.remove_prefix(kScheme.size());
  const size_t at = rest.find('@');
  HubRef ref;
  ref.repo = rest.substr(0, at);
  if (at != std::string_view::npos) ref.revision = rest.substr(at + 1);
  const size_t slash = ref.repo.find('/');
  const bool is_valid = is_hub_ref(text) && slash != std::string::npos &&
                        is_name_part(ref.repo.substr(0, slash)) && is_name_part(ref.repo.substr(slash + 1)) &&
                        ref.repo.size() <= 96 && ref.repo.find("--") == std::string::npos &&
                        ref.repo.find("..") == std::string::npos && ref.repo.find_first_of("-.") != 0 &&
                        !ref.repo.ends_with('-') && !ref.repo.ends_with('.') && !ref.repo.ends_with(".git");
  if (!is_valid)
    fail(ErrorCode::kUsage, "'{}' is no repository of the hub: expected hf:OWNER/REPO or hf:OWNER/REPO@REV",
         text);
  const auto is_control = [](unsigned char c) { return std::iscntrl(c) != 0; };
  if (ref.revision.empty() || ref.revision.find("..") != std::string::npos || ref.revision.starts_with('/') ||
      std::any_of(ref.revision.begin(), ref.revision.end(), is_control)) {
    fail(ErrorCode::kUsage, "'{}': '{}' is no revision: expected a branch, a tag or a commit", text,
         ref.revision);
  }
  return ref;
}

Fetched fetch_from_hub(const HubRef& ref, const FetchOptions& options, const FetchProgress& progress) {
  if (options.offline) return fetch_offline(ref, options);
  try {
    return Fetch(ref, options, progress).run();
  } catch (const Error& error) {
    const auto cached = error.code() == ErrorCode::kNetwork ? find_in_cache(ref) : std::nullopt;
    if (!cached) throw;
    fail(ErrorCode::kNetwork, "{}; the cache has commit {} of it: --offline takes that", error.what(),
         cached->commit);
  }
}

FetchPlan plan_fetch_from_hub(const HubRef& ref, const FetchOptions& options) {
  return options.offline ? plan_offline(ref, options) : Fetch(ref, options, {}).plan();
}

std::optional<LocalFiles> find_model_in(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_regular_file(error))
      names.insert(entry.path().filename().string());  // a dangling link is none
  }
  const std::string weights = choose_weights(names, folder.string());
  if (weights.empty()) return std::nullopt;
  LocalFiles files{folder, choose_files(names, weights), weights, {}};
  if (is_shard_index(weights)) {
    for (const std::string& shard : shards_of(read_shard_index(folder / weights))) {
      (names.contains(shard) ? files.names : files.missing).push_back(shard);
    }
  }
  return files;
}

std::optional<Cached> find_in_cache(const HubRef& ref) {
  const HfRepoCache cache(hub_cache_root(), ref.repo);
  const auto commit = cache.commit_of(ref.revision);
  if (!commit) return std::nullopt;
  auto files = find_model_in(cache.snapshot(*commit));
  if (!files || !files->missing.empty()) return std::nullopt;
  return Cached{*commit, std::move(*files)};
}

}  // namespace swinzoo::zoo
