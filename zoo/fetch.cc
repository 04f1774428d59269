#include "zoo/fetch.h"

#include <algorithm>
#include <deque>

#include "formats/error.h"
#include "formats/sha256.h"
#include "zoo/model_source.h"
#include "zoo/own_cache.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

// A path: there is nothing to download, but it must hold a model.
Fetched look_at_path(const Source& source) {
  const ModelFiles model = resolve_model_files(source.text, {});
  Fetched found{fs::absolute(model.checkpoint).parent_path().lexically_normal(), "", {}, source.text, true};
  const auto add = [&](const fs::path& path, const std::string& name) {
    found.files.push_back({name, fs::absolute(path), fs::file_size(path), sha256_of_file(path), false});
  };
  for (const auto& path : {model.config, model.preprocessor_config}) {
    if (path) add(*path, path->filename().string());
  }
  if (!fs::is_directory(model.checkpoint)) {
    add(model.checkpoint, model.checkpoint.filename().string());
    return found;
  }
  found.folder = fs::absolute(model.checkpoint).lexically_normal();
  for (const auto& entry : fs::recursive_directory_iterator(model.checkpoint)) {
    if (!entry.is_regular_file()) continue;
    add(entry.path(), entry.path().lexically_relative(model.checkpoint).string());
  }
  return found;
}

Fetched from_hub(const Source& source, const FetchOptions& options, const FetchProgress& progress) {
  Fetched fetched = fetch_from_hub(parse_hub_ref(source.text), options, progress);
  fetched.source = source.text;
  return fetched;
}

// What tensorflow_hub unpacked.
Fetched from_tfhub_cache(const Source& source, const fs::path& folder) {
  Fetched fetched{folder, "", {}};
  fetched.source = source.for_messages();
  for (const auto& found : fs::recursive_directory_iterator(folder)) {
    if (!found.is_regular_file()) continue;
    fetched.files.push_back({found.path().lexically_relative(folder).string(), found.path(),
                             found.file_size(), sha256_of_file(found.path()), false});
  }
  std::sort(fetched.files.begin(), fetched.files.end(),
            [](const FetchedFile& a, const FetchedFile& b) { return a.name < b.name; });
  return fetched;
}

std::string ending_of(const Source& source) {
  const std::string name = source.file_name();
  return name.ends_with(".tar.gz") ? ".tar.gz" : fs::path(name).extension().string();
}

// The digest that the source itself has: stated, or of its first fetch.
ExpectedFile own_digest(const Source& source) {
  if (!source.sha256.empty()) return {source.sha256, source.for_messages(), {}, {}};
  if (const auto record = OwnCacheEntry(source.text).read_record()) {
    return {record->file.sha256,
            fmt::format("{}, fetched on {}", record->source, record->fetched),
            record->file.size,
            {}};
  }
  return {};
}

// What the file of `source` must be: its own digest, or else that of a mirror. Nothing for a source that is
// no single file.
ExpectedFile known_digest(const Source& source, const std::vector<Source>& sources) {
  if (!source.is_file()) return {};
  ExpectedFile known = own_digest(source);
  for (size_t i = 0; i < sources.size() && known.sha256.empty(); ++i) {
    const Source& other = sources[i];
    if (other.is_file() && ending_of(other) == ending_of(source)) known = own_digest(other);
  }
  return known;
}

struct Failure {
  ErrorCode code;
  std::string text;
};

[[noreturn]] void fail_all(const std::vector<Failure>& failures) {
  const auto worst = std::find_if(failures.begin(), failures.end(),
                                  [](const Failure& f) { return f.code == ErrorCode::kCorrupt; });
  const Failure& telling = worst == failures.end() ? failures.front() : *worst;
  if (failures.size() == 1) throw Error(telling.code, telling.text);
  std::string text = "no source could be fetched:";
  for (const Failure& failure : failures) text += "\n  " + failure.text;
  throw Error(telling.code, text);
}

}  // namespace

Fetched fetch_model(const std::vector<Source>& sources, const FetchOptions& options,
                    const FetchProgress& progress, const ExpectedFile& expected) {
  struct Attempt {
    Source source;
    bool is_second = false;
  };
  std::deque<Attempt> left;
  for (const Source& source : sources) left.push_back({source});
  std::stable_partition(left.begin(), left.end(), [](const Attempt& a) { return is_present(a.source); });

  std::vector<Failure> failures;
  while (!left.empty()) {
    const Attempt attempt = std::move(left.front());
    left.pop_front();
    const Source& source = attempt.source;
    const ExpectedFile known = expected.sha256.empty() ? known_digest(source, sources) : expected;
    try {
      if (source.kind == SourceKind::kPath) return look_at_path(source);
      if (source.kind == SourceKind::kHub) return from_hub(source, options, progress);
      if (expected.sha256.empty() && own_digest(source).sha256.empty()) {
        if (const auto folder = find_in_tfhub_cache(source)) return from_tfhub_cache(source, *folder);
      }
      return fetch_file(source, known, left.empty() && !attempt.is_second, options, progress);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted || error.code() == ErrorCode::kDiskFull) throw;
      failures.push_back({error.code(), error.what()});
      const bool is_wrong = error.code() == ErrorCode::kCorrupt && !known.sha256.empty();
      if (is_wrong && !attempt.is_second && !left.empty()) left.push_back({source, true});
      if (!left.empty() && options.note) {
        options.note(fmt::format("{}; trying {}", error.what(), left.front().source.for_messages()));
      }
    }
  }
  fail_all(failures);
}

}  // namespace swinzoo::zoo
