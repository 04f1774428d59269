#include "zoo/model_source.h"

#include "formats/error.h"
#include "zoo/hub.h"
#include "zoo/own_cache.h"
#include "zoo/source.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

ModelFiles with_configs(const fs::path& checkpoint, const std::string& origin) {
  ModelFiles files{checkpoint, std::nullopt, std::nullopt, origin};
  const auto beside = [&](const char* name) -> std::optional<fs::path> {
    std::error_code error;
    const fs::path path = checkpoint.parent_path() / name;
    return fs::is_regular_file(path, error) ? std::optional(path) : std::nullopt;
  };
  files.config = beside("config.json");
  files.preprocessor_config = beside("preprocessor_config.json");
  return files;
}

std::optional<ModelFiles> find_in_hub_cache(const std::string& source) {
  const HubRef ref = parse_hub_ref(source);
  const auto cached = find_in_cache(ref);
  if (!cached) return std::nullopt;
  return with_configs(cached->files.folder / cached->files.weights,
                      fmt::format("{} at {}", ref.text(), cached->commit));
}

std::optional<ModelFiles> find_at_path(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return with_configs(path, path.string());
  if (!fs::is_directory(path, error)) return std::nullopt;
  const fs::path checkpoint = checkpoint_in(path);
  if (checkpoint == path) return ModelFiles{path, {}, {}, path.string()};
  return with_configs(checkpoint, path.string());
}

std::optional<ModelFiles> find_file(const Source& source) {
  const OwnCacheEntry entry(source.text);
  const auto record = entry.find();
  if (record && (source.sha256.empty() || source.sha256 == record->file.sha256)) {
    const fs::path checkpoint =
        record->unpacked.empty() ? entry.folder() / record->file.name : checkpoint_in(entry.unpacked());
    return ModelFiles{checkpoint, {}, {}, source.for_messages()};
  }
  const auto folder = source.sha256.empty() ? find_in_tfhub_cache(source) : std::nullopt;
  return folder ? std::optional(ModelFiles{*folder, {}, {}, source.for_messages()}) : std::nullopt;
}

std::optional<ModelFiles> find_source(const Source& source) {
  switch (source.kind) {
    case SourceKind::kHub:
      return find_in_hub_cache(source.text);
    case SourceKind::kPath:
      return find_at_path(source.path());
    default:
      return find_file(source);
  }
}

}  // namespace

fs::path checkpoint_in(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder / "saved_model.pb", error)) return folder;
  const auto files = find_model_in(folder);
  if (!files) {
    fail(ErrorCode::kNotFound,
         "{}: the folder has no weights (model.safetensors, pytorch_model.bin, *.safetensors, "
         "*.pth)",
         folder.string());
  }
  return folder / files->weights;
}

bool is_present(const Source& source) {
  try {
    return find_source(source).has_value();
  } catch (const Error&) {
    return false;
  }
}

ModelFiles resolve_model_files(const std::string& model, const std::vector<std::string>& sources) {
  bool can_be_fetched = false;
  for (const std::string& text : sources.empty() ? std::vector{model} : sources) {
    const Source source = parse_source(text);
    if (auto files = find_source(source)) return std::move(*files);
    can_be_fetched = can_be_fetched || source.kind != SourceKind::kPath;
  }
  if (can_be_fetched) {
    fail(ErrorCode::kNotFound, "{}: is not fetched yet; run 'swinzoo fetch {}'", model, model);
  }
  fail(ErrorCode::kNotFound, "{}: no such file or folder", model);
}

}  // namespace swinzoo::zoo
