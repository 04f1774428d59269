#include "zoo/model_source.h"

#include <algorithm>
#include <array>

#include "formats/error.h"
#include "zoo/hub.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kNotBuilt = {"tfhub:", "https:", "http:"};

std::optional<std::string_view> unbuilt_kind(const std::string& source) {
  const auto kind =
      std::find_if(kNotBuilt.begin(), kNotBuilt.end(), [&](auto k) { return source.starts_with(k); });
  return kind == kNotBuilt.end() ? std::nullopt : std::optional(*kind);
}

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
  if (fs::exists(path / "saved_model.pb", error)) return ModelFiles{path, {}, {}, path.string()};
  const auto files = find_model_in(path);
  if (!files) {
    fail(ErrorCode::kNotFound,
         "{}: the folder has no weights (model.safetensors, pytorch_model.bin, *.safetensors, "
         "*.pth)",
         path.string());
  }
  return with_configs(path / files->weights, path.string());
}

std::optional<ModelFiles> find_source(const std::string& source) {
  if (is_hub_ref(source)) return find_in_hub_cache(source);
  const auto path = path_of_source(source);
  return path ? find_at_path(*path) : std::nullopt;
}

}  // namespace

std::optional<fs::path> path_of_source(const std::string& source) {
  if (is_hub_ref(source) || unbuilt_kind(source)) return std::nullopt;
  return source.starts_with("file:") ? source.substr(5) : source;
}

bool is_built(const std::string& source) { return !unbuilt_kind(source); }

void require_built(const std::string& source) {
  if (const auto kind = unbuilt_kind(source)) {
    fail(ErrorCode::kUnsupported, "{}: fetching from {} is not built yet", source, *kind);
  }
}

ModelFiles resolve_model_files(const std::string& model, const std::vector<std::string>& sources) {
  const std::vector<std::string> candidates = sources.empty() ? std::vector{model} : sources;
  for (const std::string& source : candidates) {
    if (auto files = find_source(source)) return std::move(*files);
  }
  const bool can_be_fetched = std::any_of(candidates.begin(), candidates.end(), is_hub_ref);
  if (can_be_fetched) {
    fail(ErrorCode::kNotFound, "{}: is not fetched yet; run 'swinzoo fetch {}'", model, model);
  }
  for (const std::string& source : candidates) require_built(source);
  fail(ErrorCode::kNotFound, "{}: no such file or folder", model);
}

}  // namespace swinzoo::zoo
