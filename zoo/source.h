// Where a model comes from, as people and the catalog write it:
//
//   hf:OWNER/REPO[@REV]                               the Hugging Face hub (hub.h)
//   tfhub:OWNER/NAME/VERSION                          a TF-Hub handle; https://tfhub.dev/OWNER/NAME/VERSION
//   too kaggle:OWNER/MODEL/FRAMEWORK/VARIATION/VERSION    a Kaggle model, or its page's URL
//                                                     https://www.kaggle.com/models/OWNER/...
//   https://..., http://...                           one file: a checkpoint, or a .tar.gz of a SavedModel
//   PATH, file:PATH                                   a checkpoint, or a folder with one
//
// The middle three may end in #sha256=HEX: the digest of the file that is downloaded. It is never sent.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "zoo/http.h"

namespace swinzoo::zoo {

enum class SourceKind { kHub, kTfHub, kKaggle, kUrl, kPath };

struct Source {
  SourceKind kind = SourceKind::kPath;
  std::string text;    // in the first form of each above, without the digest: what own_cache.h names it by
  std::string sha256;  // 64 lower-case hex digits; empty where it was not given

  std::string handle() const;          // what stands behind "tfhub:" or "kaggle:"
  std::string for_messages() const;    // text, without a URL's query and password
  std::filesystem::path path() const;  // REQUIRES: kPath

  // One file to download: kTfHub, kKaggle, kUrl.
  bool is_file() const { return kind != SourceKind::kHub && kind != SourceKind::kPath; }
  // What it's called on disk: the end of a URL's path, the handle's NAME.tar.gz. REQUIRES: is_file().
  std::string file_name() const;
  // Where to ask for it, and as whom (hub_settings.h has the places). REQUIRES: is_file(). Throws kUsage.
  std::string url() const;
  HttpAuth auth() const;
};

// Throws kUsage, saying what is wrong.
Source parse_source(std::string_view text);

// The folder of tensorflow_hub's cache (TFHUB_CACHE_DIR) that holds the model, if there is one with a
// saved_model.pb; tensorflow_hub calls it by the SHA-1 of the handle's URL at tfhub.dev
// (compressed_module_resolver.py's _module_dir()).
std::optional<std::filesystem::path> find_in_tfhub_cache(const Source& source);

}  // namespace swinzoo::zoo
