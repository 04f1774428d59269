#include "zoo/own_cache.h"

#include <algorithm>
#include <cctype>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/json.h"
#include "formats/sha256.h"
#include "zoo/blob.h"
#include "zoo/file_lock.h"
#include "zoo/http.h"
#include "zoo/hub_settings.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSchema = 1;
constexpr size_t kMostOfName = 100;  // a folder's name has at most 255 bytes
constexpr const char* kRecord = "record.json";
constexpr const char* kCacheTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file is a cache directory tag created by swinzoo.\n"
    "# For information about cache directory tags, see https://bford.info/cachedir/\n";

fs::path sources_folder() { return own_cache_root() / "sources"; }

// "tfhub--OWNER--NAME--1" of tfhub:OWNER/NAME/1; "HOST--FILE" of a URL. The end of a long one.
std::string readable(const std::string& source) {
  std::string text = source;
  if (const size_t scheme = source.find("://"); scheme != std::string::npos) {
    text = url_for_messages(source).substr(scheme + 3);
    const size_t host_end = std::min(text.find('/'), text.size());
    const size_t file = text.rfind('/');
    if (file != std::string::npos) text.erase(host_end, file - host_end);
  }
  std::string name;
  for (const char c : text) {
    const bool is_plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
    name += c == '/' || c == ':' ? "--" : std::string(1, is_plain ? c : '_');
  }
  if (name.size() > kMostOfName) name.erase(0, name.size() - kMostOfName);
  return name;
}

json::object to_json(const OwnFile& file) {
  return {{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}};
}

// Relative, and below the folder that it is of: a record may have been tampered with.
bool is_below(const std::string& name) {
  const fs::path path(name);
  return !name.empty() && path.is_relative() && std::find(path.begin(), path.end(), "..") == path.end();
}

OwnFile file_from(const json::value& value, const std::string& where) {
  const json::object& object = as_object(value, where);
  OwnFile file{find_string(object, "name", where).value_or(""),
               static_cast<uint64_t>(find_int(object, "size", where).value_or(-1)),
               find_string(object, "sha256", where).value_or("")};
  if (!is_below(file.name) || static_cast<int64_t>(file.size) < 0 || file.sha256.size() != 64 ||
      !BlobDigest::is_blob_name(file.sha256)) {
    fail(ErrorCode::kCorrupt, "{}: names no file with a size and a SHA-256", where);
  }
  return file;
}

OwnRecord record_from(const json::value& value, const std::string& where) {
  const json::object& object = as_object(value, where);
  if (find_int(object, "schema", where) != kSchema) {
    fail(ErrorCode::kCorrupt, "{}: expected \"schema\": {}", where, kSchema);
  }
  const auto text = [&](const char* key) { return find_string(object, key, where).value_or(""); };
  OwnRecord record{text("source"), text("url"), text("etag"), text("fetched"), {}, {}};
  record.file = file_from(object.contains("file") ? object.at("file") : json::value(), where);
  if (const json::value* unpacked = find_member(object, "unpacked")) {
    for (const json::value& file : as_array(*unpacked, where)) {
      record.unpacked.push_back(file_from(file, where));
    }
  }
  return record;
}

}  // namespace

fs::path own_cache_root() { return user_cache_root() / "swinzoo"; }

void make_own_cache() {
  const fs::path tag = own_cache_root() / "CACHEDIR.TAG";
  std::error_code error;
  if (!fs::exists(tag, error)) write_file(tag, kCacheTag);
}

OwnCacheEntry::OwnCacheEntry(const std::string& source)
    : key_(fmt::format("{}-{}", readable(source),
                       sha256_hex(std::as_bytes(std::span(source.data(), source.size()))).substr(0, 16))) {}

std::vector<OwnCacheEntry> OwnCacheEntry::all() {
  std::vector<OwnCacheEntry> entries;
  std::error_code error;
  for (const auto& found : fs::directory_iterator(sources_folder(), error)) {
    if (!found.is_directory(error)) continue;
    OwnCacheEntry entry;
    entry.key_ = found.path().filename().string();
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.key_ < b.key_; });
  return entries;
}

fs::path OwnCacheEntry::folder() const { return sources_folder() / key_; }

fs::path OwnCacheEntry::lock_file() const { return own_cache_root() / "locks" / (key_ + ".lock"); }

std::optional<OwnRecord> OwnCacheEntry::read_record() const {
  const fs::path path = folder() / kRecord;
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  try {
    return record_from(read_json(path), path.string());
  } catch (const Error&) {
    return std::nullopt;
  }
}

void OwnCacheEntry::write_record(const OwnRecord& record) const {
  make_own_cache();
  json::array unpacked;
  for (const OwnFile& file : record.unpacked) unpacked.push_back(to_json(file));
  json::object document{{"schema", kSchema},
                        {"source", record.source},
                        {"url", record.url},
                        {"etag", record.etag},
                        {"fetched", record.fetched},
                        {"file", to_json(record.file)},
                        {"unpacked", std::move(unpacked)}};
  write_file(folder() / kRecord, to_pretty_json(document) + "\n");
}

std::optional<OwnRecord> OwnCacheEntry::find() const {
  auto record = read_record();
  if (!record) return std::nullopt;
  const auto is_there = [&](const OwnFile& file) {
    std::error_code error;
    return fs::is_regular_file(folder() / file.name, error) &&
           fs::file_size(folder() / file.name, error) == file.size;
  };
  if (!is_there(record->file)) return std::nullopt;
  if (!std::all_of(record->unpacked.begin(), record->unpacked.end(), is_there)) return std::nullopt;
  return record;
}

std::vector<std::string> OwnCacheEntry::damaged(const std::vector<OwnFile>& files,
                                                const std::function<bool()>& cancelled) const {
  std::vector<std::string> names;
  for (const OwnFile& file : files) {
    if (!blob_is_good(folder() / file.name, file.sha256, file.size, cancelled)) names.push_back(file.name);
  }
  return names;
}

void OwnCacheEntry::remove() const {
  std::error_code error;
  fs::remove_all(folder(), error);
  if (error) fail(ErrorCode::kFailed, "{}: can't be removed: {}", folder().string(), error.message());
}

}  // namespace swinzoo::zoo
