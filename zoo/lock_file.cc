#include "zoo/lock_file.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "formats/error.h"
#include "formats/sha256.h"
#include "zoo/blob.h"
#include "zoo/download.h"
#include "zoo/hf_cache.h"
#include "zoo/strict_object.h"

namespace swinzoo::zoo {
namespace {

constexpr int64_t kSchema = 1;

bool is_sha256(const std::string& text) { return text.size() == 64 && BlobDigest::is_blob_name(text); }

// Relative, and below the folder that it is of.
bool is_safe_name(const std::string& name) {
  std::istringstream parts(name + "/");
  for (std::string part; std::getline(parts, part, '/');) {
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string::npos) return false;
  }
  return true;
}

LockedFile file_from(const json::value& value, const std::string& where) {
  StrictObject row(value, where);
  LockedFile file;
  file.name = row.need_string("name");
  if (!is_safe_name(file.name)) fail(ErrorCode::kCorrupt, "{}: '{}' is no file's name", where, file.name);
  const std::string place = fmt::format("{}: {}", where, file.name);
  file.url = row.need_string("url");
  const int64_t size = row.need_int("size");
  if (size < 0) fail(ErrorCode::kCorrupt, "{}: \"size\" is {}", place, size);
  file.size = static_cast<uint64_t>(size);
  file.sha256 = row.need_string("sha256");
  if (row.find("blocks") != nullptr) file.blocks = row.need_strings("blocks");
  row.finish();
  const uint64_t blocks = file.size / kDigestBlock + (file.size % kDigestBlock > 0 ? 1 : 0);
  if (blocks <= 1 && file.blocks.empty()) file.blocks.assign(blocks, file.sha256);
  if (file.blocks.size() != blocks) {
    fail(ErrorCode::kCorrupt, "{}: {} bytes have {} blocks, and \"blocks\" has {}", place, size, blocks,
         file.blocks.size());
  }
  if (!is_sha256(file.sha256) || !std::all_of(file.blocks.begin(), file.blocks.end(), is_sha256)) {
    fail(ErrorCode::kCorrupt, "{}: a digest is not 64 lower-case hex digits", place);
  }
  if (blocks == 1 && file.blocks.front() != file.sha256) {
    fail(ErrorCode::kCorrupt, "{}: its only block has another digest than the file", place);
  }
  return file;
}

LockedEntry entry_from(const json::value& value, const std::string& where) {
  StrictObject row(value, where);
  LockedEntry entry;
  entry.entry = row.need_string("entry");
  const std::string place = fmt::format("{}: {}", where, entry.entry);
  entry.source = row.need_string("source");
  if (row.find("commit") != nullptr) entry.commit = row.need_string("commit");
  entry.license = row.need_string("license");
  std::set<std::string> names;
  for (const json::value& file : as_array(row.need("files"), place)) {
    entry.files.push_back(file_from(file, place));
    const std::string& name = entry.files.back().name;
    if (!names.insert(name).second) fail(ErrorCode::kCorrupt, "{}: has {} twice", place, name);
  }
  row.finish();
  const bool is_hub = entry.source.starts_with("hf:");
  if (entry.entry.empty() || entry.source.empty() || entry.files.empty()) {
    fail(ErrorCode::kCorrupt, "{}: has no name, no source or no files", place);
  }
  if (is_hub != HfRepoCache::is_commit(entry.commit) || (!is_hub && !entry.commit.empty())) {
    fail(ErrorCode::kCorrupt, "{}: \"commit\" must be 40 hex digits where the source is hf:, and else absent",
         place);
  }
  if (!is_hub && entry.files.size() != 1) {
    fail(ErrorCode::kCorrupt, "{}: {} is one file, and {} are listed", place, entry.source,
         entry.files.size());
  }
  return entry;
}

bool comes_before(const LockedEntry& a, const LockedEntry& b) { return a.entry < b.entry; }

json::object to_json(const LockedFile& file) {
  json::object object{{"name", file.name}, {"url", file.url}, {"size", file.size}, {"sha256", file.sha256}};
  if (file.blocks.size() > 1) object["blocks"] = json::array(file.blocks.begin(), file.blocks.end());
  return object;
}

json::object to_json(const LockedEntry& entry) {
  std::vector<LockedFile> sorted = entry.files;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  json::array files;
  for (const LockedFile& file : sorted) files.push_back(to_json(file));
  json::object object{{"entry", entry.entry}, {"source", entry.source}};
  if (!entry.commit.empty()) object["commit"] = entry.commit;
  object["license"] = entry.license;
  object["files"] = std::move(files);
  return object;
}

}  // namespace

const LockedFile* LockedEntry::find(std::string_view name) const {
  const auto found = std::find_if(files.begin(), files.end(), [&](const auto& f) { return f.name == name; });
  return found == files.end() ? nullptr : &*found;
}

const LockedEntry* LockFile::find(std::string_view entry) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.entry == entry; });
  return found == entries.end() ? nullptr : &*found;
}

void LockFile::put(LockedEntry entry) {
  std::erase_if(entries, [&](const LockedEntry& e) { return e.entry == entry.entry; });
  entries.insert(std::upper_bound(entries.begin(), entries.end(), entry, &comes_before), std::move(entry));
}

LockFile lock_file_from(const json::value& document, const std::string& where) {
  StrictObject top(document, where);
  if (const int64_t schema = top.need_int("schema"); schema != kSchema) {
    fail(ErrorCode::kCorrupt, "{}: \"schema\" is {}, expected {}", where, schema, kSchema);
  }
  if (const int64_t size = top.need_int("block_size"); size != static_cast<int64_t>(kDigestBlock)) {
    fail(ErrorCode::kCorrupt, "{}: \"block_size\" is {}, expected {}", where, size, kDigestBlock);
  }
  LockFile lock;
  std::set<std::string> names;
  for (const json::value& value : as_array(top.need("entries"), where)) {
    lock.entries.push_back(entry_from(value, where));
    const std::string& name = lock.entries.back().entry;
    if (!names.insert(name).second) fail(ErrorCode::kCorrupt, "{}: has {} twice", where, name);
  }
  top.finish();
  std::sort(lock.entries.begin(), lock.entries.end(), &comes_before);
  return lock;
}

LockFile read_lock_file(const std::filesystem::path& path) {
  return lock_file_from(read_json(path), path.string());
}

std::string to_text(const LockFile& lock) {
  json::array entries;
  for (const LockedEntry& entry : lock.entries) entries.push_back(to_json(entry));
  const json::object document{
      {"schema", kSchema}, {"block_size", kDigestBlock}, {"entries", std::move(entries)}};
  return to_pretty_json(document) + "\n";
}

LockedFile digest_for_lock(const std::filesystem::path& path, const std::string& name) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail_errno("can't be read", path.string());
  LockedFile file;
  file.name = name;
  Sha256 whole;
  std::vector<char> buffer(1024 * 1024);
  static_assert(kDigestBlock % (1024 * 1024) == 0);
  std::optional<Sha256> block;
  const auto end_block = [&] {
    if (block) file.blocks.push_back(block->hex());
    block.reset();
  };
  while (stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || stream.gcount() > 0) {
    const auto bytes = std::as_bytes(std::span(buffer).first(static_cast<size_t>(stream.gcount())));
    if (!block) block.emplace();
    whole.update(bytes);
    block->update(bytes);
    file.size += bytes.size();
    if (file.size % kDigestBlock == 0) end_block();
  }
  if (stream.bad()) fail(ErrorCode::kFailed, "{}: can't be read", path.string());
  end_block();
  file.sha256 = whole.hex();
  return file;
}

}  // namespace swinzoo::zoo
