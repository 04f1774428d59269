#include "zoo/cache_verify.h"

#include <fstream>
#include <map>
#include <span>
#include <utility>

#include "formats/error.h"
#include "zoo/blob.h"

namespace swinzoo::zoo {
namespace {

// What is wrong with the bytes; empty if nothing is.
std::string problem_of(const CachedFile& file, const VerifyHooks& hooks) {
  std::ifstream stream(file.blob, std::ios::binary);
  if (!stream) return "can't be read";
  BlobDigest digest(file.digest, file.size);
  std::vector<char> buffer(1024 * 1024);
  uint64_t done = 0;
  while (stream) {
    if (hooks.cancelled && hooks.cancelled()) fail(ErrorCode::kInterrupted, "interrupted");
    stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto count = static_cast<size_t>(stream.gcount());
    digest.update(std::as_bytes(std::span(buffer).first(count)));
    done += count;
    if (hooks.more_read) hooks.more_read(count);
  }
  if (stream.bad() || done != file.size) return fmt::format("can't be read after {} bytes", done);
  return digest.matches() ? "" : fmt::format("expected the digest {}, got {}", file.digest, digest.hex());
}

}  // namespace

VerifiedModel verify_cached(const CachedModel& model, const VerifyHooks& hooks) {
  VerifiedModel result;
  std::map<std::pair<std::filesystem::path, std::string>, std::string> known;  // by blob and digest
  for (const CachedRevision& revision : model.revisions) {
    for (const CachedFile& file : revision.files) {
      if (file.missing) {
        result.wrong.push_back({revision.commit, file.name, file.blob, "is missing"});
        continue;
      }
      if (!BlobDigest::is_blob_name(file.digest)) {
        result.unknown.push_back((revision.folder / file.name).string());
        continue;
      }
      const auto [problem, is_new] = known.try_emplace({file.blob, file.digest});
      if (is_new) {
        problem->second = problem_of(file, hooks);
        ++result.files;
        result.size += file.size;
      }
      if (!problem->second.empty()) {
        result.wrong.push_back({revision.commit, file.name, file.blob, problem->second});
      }
    }
  }
  return result;
}

}  // namespace swinzoo::zoo
