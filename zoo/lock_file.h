// swinzoo.lock: exactly which bytes models are made of, so that another machine gets the same ones or an
// error.
//
//   {
//     "schema": 1,
//     "block_size": 16777216,
//     "entries": [
//       {
//         "entry": "timm/swin_tiny_patch4_window7_224.ms_in1k",
//         "source": "hf:timm/swin_tiny_patch4_window7_224.ms_in1k",
//         "commit": "…40 hex digits…",            only of hf:
//         "license": "mit",                        as the catalog has it; may be empty
//         "files": [
//           {"name": "model.safetensors", "url": "https://…", "size": 113, "sha256": "…64 hex digits…",
//            "blocks": ["…SHA-256 of each block_size bytes…"]}      only of files larger than one block
//         ]
//       }
//     ]
//   }
//
// Entries and files are in the order of their names, so the same models always make the same text. Of a
// Hugging Face model the files are those that fetch takes; of any other source the one file that is
// downloaded. URLs are the publisher's own, whichever mirror was used.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "formats/json.h"

namespace swinzoo::zoo {

struct LockedFile {
  std::string name;
  std::string url;
  uint64_t size = 0;  // bytes
  std::string sha256;
  std::vector<std::string>
      blocks;  // SHA-256 of each kDigestBlock (download.h) bytes; one of a smaller file too

  bool operator==(const LockedFile&) const = default;
};

struct LockedEntry {
  std::string entry;   // a catalog id, else the MODEL that was named
  std::string source;  // hf:OWNER/REPO, tfhub:..., kaggle:..., a URL
  std::string commit;  // empty but for hf:
  std::string license;
  std::vector<LockedFile> files;

  const LockedFile* find(std::string_view name) const;  // null where there is none
  bool operator==(const LockedEntry&) const = default;
};

// What it is called unless a flag says otherwise.
inline constexpr const char* kLockFile = "swinzoo.lock";

struct LockFile {
  std::vector<LockedEntry> entries;  // by name

  const LockedEntry* find(std::string_view entry) const;  // null where there is none
  void put(LockedEntry entry);                            // adds it, or replaces the one of that name
};

// Strict: unknown or missing keys, wrong types, digests or numbers of blocks that can't be, names that lead
// out of a folder, and an entry or file that stands there twice throw kCorrupt, naming `where`.
LockFile lock_file_from(const json::value& document, const std::string& where);
LockFile read_lock_file(const std::filesystem::path& path);  // kNotFound too

// Ends with a newline.
std::string to_text(const LockFile& lock);

// The file's size and digests: it is read once. Throws kNotFound, kFailed. The name is `name`, the URL empty.
LockedFile digest_for_lock(const std::filesystem::path& path, const std::string& name);

}  // namespace swinzoo::zoo
