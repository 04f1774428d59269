#include "zoo/fetch_plan.h"

#include <algorithm>

#include "formats/error.h"
#include "formats/number.h"
#include "zoo/fetch.h"
#include "zoo/hub_settings.h"
#include "zoo/model_source.h"
#include "zoo/own_cache.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

FetchPlan files_below(const Source& source, const fs::path& folder) {
  FetchPlan plan{source.for_messages(), "", folder, {}};
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    plan.files.push_back({entry.path().lexically_relative(folder).string(), "", entry.file_size(), true});
  }
  std::sort(plan.files.begin(), plan.files.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return plan;
}

FetchPlan plan_path(const Source& source) {
  const fs::path checkpoint =
      fs::absolute(resolve_model_files(source.text, {}).checkpoint).lexically_normal();
  if (fs::is_directory(checkpoint)) return files_below(source, checkpoint);
  return {source.text,
          "",
          checkpoint.parent_path(),
          {{checkpoint.filename().string(), "", fs::file_size(checkpoint), true}}};
}

// What the server says of the file's size. A server that does not answer HEAD tells nothing.
std::optional<uint64_t> size_at(const Source& source, const FetchOptions& options) {
  HttpClient client({source.auth(), options.cancelled, options.note});
  const HttpResponse response = client.head(source.url());
  if (response.status == 403 || response.status == 405 || response.status == 501) return std::nullopt;
  require_success(response);
  return whole_number<uint64_t>(response.header("content-length"));
}

FetchPlan plan_file(const Source& source, const FetchOptions& options) {
  const OwnCacheEntry entry(source.text);
  const std::string url = url_for_messages(source.url());
  if (const auto record = entry.find()) {
    return {source.for_messages(), "", entry.folder(), {{record->file.name, url, record->file.size, true}}};
  }
  if (const auto folder = find_in_tfhub_cache(source)) return files_below(source, *folder);
  if (options.offline) {
    fail(ErrorCode::kNotFound,
         "{}: is not in the cache {}, and swinzoo is offline (--offline or HF_HUB_OFFLINE)",
         source.for_messages(), own_cache_root().string());
  }
  return {source.for_messages(),
          "",
          entry.folder(),
          {{source.file_name(), url, size_at(source, options), false}}};
}

FetchPlan plan_one(const Source& source, const FetchOptions& options) {
  if (source.kind == SourceKind::kPath) return plan_path(source);
  if (source.is_file()) return plan_file(source, options);
  FetchPlan plan = plan_fetch_from_hub(parse_hub_ref(source.text), options);
  plan.source = source.text;
  return plan;
}

}  // namespace

FetchPlan plan_fetch(const std::vector<Source>& sources, const FetchOptions& options) {
  std::vector<Source> ordered = sources;
  std::stable_partition(ordered.begin(), ordered.end(), [](const Source& s) { return is_present(s); });
  for (size_t i = 0;; ++i) {
    try {
      return plan_one(ordered[i], options);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted || i + 1 == ordered.size()) throw;
      if (options.note)
        options.note(fmt::format("{}; asking {}", error.what(), ordered[i + 1].for_messages()));
    }
  }
}

}  // namespace swinzoo::zoo
