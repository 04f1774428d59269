#include "zoo/fetch_file.h"

#include <fmt/chrono.h>

#include <chrono>
#include <fstream>

#include "formats/checkpoint.h"
#include "formats/error.h"
#include "formats/sha256.h"
#include "formats/tar_reader.h"
#include "formats/unpack.h"
#include "zoo/download.h"
#include "zoo/file_lock.h"
#include "zoo/hub_settings.h"
#include "zoo/model_source.h"
#include "zoo/own_cache.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

std::string now_utc() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%FT%TZ}", now);
}

bool is_tar(const fs::path& path) {
  std::string start(512, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  return looks_like_tar(std::as_bytes(std::span(start.data(), static_cast<size_t>(file.gcount()))));
}

// What a hub's refusal means to somebody who knows nothing of the hub; returns where there's nothing to add.
void explain_refusal(const Source& source, const HttpResponse& response) {
  const int status = response.status;
  const std::string what =
      fmt::format("{}: {} answered {}", source.for_messages(), origin_of(response.url), status);
  const bool is_kaggle = source.kind == SourceKind::kKaggle;
  if (source.kind == SourceKind::kUrl) return;
  if (status == 404 || status == 410) {
    fail(ErrorCode::kNotFound, "{}: no such model or version{}", what, is_kaggle ? ", or it is private" : "");
  }
  if (status != 401 && status != 403) return;
  if (!is_kaggle) {
    fail(ErrorCode::kNetwork,
         "{}; a model that wants an account there can be named as "
         "kaggle:OWNER/MODEL/FRAMEWORK/VARIATION/VERSION",
         what);
  }
  const std::string handle = source.handle();
  fail(ErrorCode::kNetwork, "{}: {}; its conditions may have to be accepted first, on {}/models/{}", what,
       source.auth().user_password.empty()
           ? "set KAGGLE_USERNAME and KAGGLE_KEY (or kaggle.json) to an account that may read it"
           : "the account in KAGGLE_USERNAME and KAGGLE_KEY (or kaggle.json) may not read it",
       kaggle_endpoint(), handle.substr(0, handle.find('/', handle.find('/') + 1)));
}

// One file on its way into one entry of the cache.
class FileFetch {
 public:
  FileFetch(const Source& source, const ExpectedFile& expected, bool again_if_wrong,
            const FetchOptions& options, const FetchProgress& progress)
      : source_(source),
        expected_(expected),
        again_if_wrong_(again_if_wrong),
        options_(options),
        progress_(progress),
        entry_(source.text),
        target_(entry_.folder() / source.file_name()) {}

  Fetched run() {
    if (options_.offline) return from_cache();
    make_own_cache();
    const FileLock lock(entry_.lock_file(), source_.for_messages(), {options_.cancelled, options_.note});
    make_folder(entry_.folder());
    try {
      return make_present();
    } catch (const Error& error) {
      std::error_code ignored;
      fs::remove(entry_.folder(), ignored);  // where nothing is in it
      throw;
    }
  }

 private:
  // The record, unless it is of another file than is expected.
  std::optional<OwnRecord> usable_record() const {
    auto record = entry_.read_record();
    if (record && !expected_.sha256.empty() && record->file.sha256 != expected_.sha256) return std::nullopt;
    return record;
  }

  Fetched from_cache() const {
    const auto record = usable_record();
    if (!record || !entry_.find()) {
      fail(ErrorCode::kNotFound,
           "{}: is not in the cache {}, and swinzoo is offline (--offline or HF_HUB_OFFLINE)",
           source_.for_messages(), own_cache_root().string());
    }
    std::vector<std::string> damaged = entry_.damaged({record->file}, options_.cancelled);
    if (damaged.empty()) damaged = entry_.damaged(record->unpacked, options_.cancelled);
    if (!damaged.empty()) {
      fail(ErrorCode::kCorrupt,
           "{}: is damaged: expected the SHA-256 that it had when it was fetched; fetch it "
           "again online",
           (entry_.folder() / damaged.front()).string());
    }
    return result(*record, false);
  }

  Fetched make_present() {
    const auto record = usable_record();
    if (record && entry_.damaged({record->file}, options_.cancelled).empty()) {
      const auto damaged = entry_.damaged(record->unpacked, options_.cancelled);
      if (damaged.empty()) return result(*record, false);
      note("{}: {} is damaged; unpacking it again", source_.for_messages(), damaged.front());
      return finish(*record, false);
    }
    if (record) {
      note("{}: {} is damaged or gone; fetching it again", source_.for_messages(), record->file.name);
      if (expected_.sha256.empty()) {
        expected_ = {record->file.sha256, "its first fetch, on " + record->fetched, record->file.size, {}};
      }
    } else if (auto found = adopt()) {
      return finish(std::move(*found), false);
    }
    return finish(download_it(), true);
  }

  // A file that was whole when its fetch was ended before the record could be written.
  std::optional<OwnRecord> adopt() const {
    std::error_code error;
    if (entry_.read_record() || !fs::is_regular_file(target_, error)) return std::nullopt;
    OwnRecord record = new_record();
    record.file = {source_.file_name(), fs::file_size(target_), sha256_of_file(target_)};
    const bool is_other = !expected_.sha256.empty() && expected_.sha256 != record.file.sha256;
    return is_other ? std::nullopt : std::optional(std::move(record));
  }

  OwnRecord new_record() const { return {source_.for_messages(), "", "", now_utc(), {}, {}}; }

  OwnRecord download_it() {
    DownloadRequest request;
    request.url = source_.url();
    request.auth = source_.auth();
    request.target = target_;
    request.size = expected_.size;
    request.digest = expected_.sha256;
    request.block_digests = expected_.block_digests;
    request.again_if_wrong = again_if_wrong_;
    TransferOptions how;
    how.connections = options_.connections;
    how.cancelled = options_.cancelled;
    how.note = options_.note;
    if (progress_) {
      how.progress = [&](const DownloadRequest&, uint64_t done, uint64_t total) {
        progress_(source_.file_name(), done, total);
      };
    }
    how.refused = [&](const DownloadRequest&, const HttpResponse& response) {
      explain_refusal(source_, response);
    };
    try {
      const Downloaded done = download(request, how);
      OwnRecord record = new_record();
      record.url = done.url;
      record.etag = done.etag;
      record.file = {source_.file_name(), done.size, done.sha256};
      return record;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorrupt || expected_.sha256.empty()) throw;
      fail(ErrorCode::kCorrupt,
           "{}: {} (the SHA-256 {} is that of {}; where the publisher changed the file, "
           "'swinzoo cache rm' forgets it)",
           source_.for_messages(), error.what(), expected_.sha256, expected_.told_by);
    }
  }

  // Unpacks the downloaded file where it is an archive, makes sure that it is a checkpoint, and records it.
  Fetched finish(OwnRecord record, bool downloaded) {
    try {
      const bool is_archive = is_tar(target_);
      if (!is_archive && source_.kind != SourceKind::kUrl) {
        fail(ErrorCode::kCorrupt, "{}: {} sent no .tar.gz", source_.for_messages(), record.url);
      }
      record.unpacked = is_archive ? unpack() : std::vector<OwnFile>();
      open_checkpoint(is_archive ? checkpoint_in(entry_.unpacked()) : target_);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kDiskFull || error.code() == ErrorCode::kInterrupted ||
          error.code() == ErrorCode::kFailed) {
        throw;
      }
      entry_.remove();
      fail(ErrorCode::kCorrupt, "{}: what was sent is no checkpoint, and nothing of it was kept: {}",
           source_.for_messages(), error.what());
    }
    entry_.write_record(record);
    return result(record, downloaded);
  }

  std::vector<OwnFile> unpack() const {
    std::error_code error;
    fs::remove_all(entry_.unpacked(), error);
    UnpackHooks hooks{options_.cancelled, {}};
    if (progress_) {
      hooks.progress = [&](uint64_t done, uint64_t total) {
        progress_(source_.file_name() + " (unpacking)", done, total);
      };
    }
    std::vector<OwnFile> files;
    for (const UnpackedFile& file : unpack_tar(target_, entry_.unpacked(), hooks)) {
      files.push_back({"unpacked/" + file.name, file.size, file.sha256});
    }
    return files;
  }

  Fetched result(const OwnRecord& record, bool downloaded) const {
    Fetched fetched{entry_.folder(), "", {}};
    fetched.source = source_.for_messages();
    const auto add = [&](const OwnFile& file) {
      fetched.files.push_back({file.name, entry_.folder() / file.name, file.size, file.sha256, downloaded});
    };
    add(record.file);
    for (const OwnFile& file : record.unpacked) add(file);
    return fetched;
  }

  template <typename... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) const {
    if (options_.note) options_.note(fmt::format(format, std::forward<Args>(args)...));
  }

  const Source& source_;
  ExpectedFile expected_;
  const bool again_if_wrong_;
  const FetchOptions& options_;
  const FetchProgress& progress_;
  const OwnCacheEntry entry_;
  const fs::path target_;
};

}  // namespace

Fetched fetch_file(const Source& source, const ExpectedFile& expected, bool again_if_wrong,
                   const FetchOptions& options, const FetchProgress& progress) {
  return FileFetch(source, expected, again_if_wrong, options, progress).run();
}

}  // namespace swinzoo::zoo
