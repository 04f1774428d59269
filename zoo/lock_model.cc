#include "zoo/lock_model.h"

#include <algorithm>

#include "formats/error.h"
#include "zoo/own_cache.h"

namespace swinzoo::zoo {
namespace {

// Not the endpoint that was asked: a mirror is nothing that others should be sent to.
constexpr const char* kHub = "https://huggingface.co";

LockedFile checked(const std::filesystem::path& path, const std::string& name, const std::string& sha256) {
  LockedFile file = digest_for_lock(path, name);
  if (file.sha256 != sha256) {
    fail(ErrorCode::kCorrupt, "{}: expected the SHA-256 {}, got {}", path.string(), sha256, file.sha256);
  }
  return file;
}

}  // namespace

LockedEntry lock_model(const std::string& name, const std::string& license,
                       const std::vector<Source>& sources, const Fetched& fetched) {
  if (fetched.is_local) {
    fail(ErrorCode::kUsage, "{}: a path can't be locked: nothing tells where others would get it", name);
  }
  const auto source = std::find_if(sources.begin(), sources.end(), [&](const Source& s) {
    return s.text == fetched.source || s.for_messages() == fetched.source;
  });
  if (source == sources.end()) fail(ErrorCode::kFailed, "{}: came from {}", name, fetched.source);
  LockedEntry entry{name, source->text, fetched.commit, license, {}};
  if (source->kind == SourceKind::kHub) {
    const std::string repo = parse_hub_ref(source->text).repo;
    entry.source = "hf:" + repo;
    for (const FetchedFile& file : fetched.files) {
      LockedFile locked = checked(file.path, file.name, file.sha256);
      locked.url =
          fmt::format("{}/{}/resolve/{}/{}", kHub, repo, fetched.commit, percent_encode(file.name, true));
      entry.files.push_back(std::move(locked));
    }
    return entry;
  }
  const OwnCacheEntry own(source->text);
  const auto record = own.find();
  if (!record) {
    fail(ErrorCode::kUnsupported,
         "{}: was unpacked into {} by tensorflow_hub, which keeps no copy of what it downloaded; remove it "
         "there "
         "and lock it again",
         name, fetched.folder.string());
  }
  LockedFile file = checked(own.folder() / record->file.name, record->file.name, record->file.sha256);
  file.url = source->kind == SourceKind::kUrl ? source->for_messages() : source->url();
  entry.source = source->for_messages();
  entry.files.push_back(std::move(file));
  return entry;
}

}  // namespace swinzoo::zoo
