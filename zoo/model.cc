#include "zoo/model.h"

#include <filesystem>

#include "formats/error.h"
#include "formats/json.h"
#include "formats/sha256.h"
#include "zoo/architecture.h"
#include "zoo/canonical.h"
#include "zoo/config_json.h"
#include "zoo/hub.h"
#include "zoo/model_source.h"
#include "zoo/spec_from_tensors.h"

namespace swinzoo::zoo {
namespace {

ModelSpec spec_from_files(const ModelFiles& files, const Checkpoint& checkpoint, const Catalog& catalog) {
  const std::string where = files.checkpoint.string();
  if (files.config) {
    std::optional<json::value> preprocessor;
    if (files.preprocessor_config) preprocessor = read_json(*files.preprocessor_config);
    return spec_from_config(read_json(*files.config), files.config->string(), catalog,
                            preprocessor ? &*preprocessor : nullptr);
  }
  if (auto spec = spec_from_tensors(checkpoint, where, catalog)) return std::move(*spec);
  fail(ErrorCode::kUnsupported,
       "{}: no config.json stands beside it, and its tensors' names tell no architecture that is built",
       where);
}

// What a model outside the catalog is called: OWNER/REPO, or the name of its folder, which does not depend on
// where the folder lies.
std::string id_of(const std::string& model, const ModelFiles& files) {
  if (is_hub_ref(model)) return parse_hub_ref(model).repo;
  const auto path = std::filesystem::absolute(files.checkpoint).lexically_normal();
  return (std::filesystem::is_directory(path) ? path : path.parent_path()).filename().string();
}

}  // namespace

OpenedFiles open_files(const std::string& model, const Catalog& catalog) {
  const ModelSpec* entry = catalog.lookup(model);
  if (entry == nullptr && catalog.lookup_architecture(model) != nullptr) {
    fail(ErrorCode::kNotFound, "'{}' is an architecture; its weights come with an entry (see 'swinzoo list')",
         model);
  }
  if (entry == nullptr && !names_files(model)) catalog.find(model);  // says what may have been meant
  OpenedFiles opened;
  opened.files = resolve_model_files(model, entry == nullptr ? std::vector<std::string>() : entry->sources);
  opened.checkpoint = open_checkpoint(opened.files.checkpoint);
  return opened;
}

ModelSpec spec_of(const std::string& model, const OpenedFiles& opened, const Catalog& catalog) {
  if (const ModelSpec* entry = catalog.lookup(model)) return *entry;
  if (auto spec = canonical_spec(*opened.checkpoint, opened.files.checkpoint.string())) {
    return std::move(*spec);
  }
  ModelSpec spec = spec_from_files(opened.files, *opened.checkpoint, catalog);
  spec.id = id_of(model, opened.files);
  return spec;
}

OpenedModel open_model(const std::string& model, const Catalog& catalog) {
  if (const ModelSpec* entry = catalog.lookup(model)) require_architecture(*entry);
  OpenedFiles opened = open_files(model, catalog);
  ModelSpec spec = spec_of(model, opened, catalog);
  return {std::move(spec), std::move(opened.files.origin), std::move(opened.checkpoint)};
}

bool names_files(const std::string& model) {
  std::error_code error;  // a name too long for a file is no file
  return model.find(':') != std::string::npos || model.starts_with('/') || model.starts_with('.') ||
         model.ends_with(".safetensors") || std::filesystem::exists(model, error);
}

ModelSpec find_spec(const std::string& model, const Catalog& catalog) {
  if (const ModelSpec* entry = catalog.lookup(model)) return *entry;
  if (const ModelSpec* architecture = catalog.lookup_architecture(model)) return *architecture;
  return open_model(model, catalog).spec;
}

Model::Model(OpenedModel opened, const backends::Backend& backend, const backends::LoadOptions& options)
    : opened_(std::move(opened)) {
  backends::Plan plan = build_plan(opened_.spec);
  const WeightMatch match = match_weights(plan, opened_.spec.dimensions.family, *opened_.checkpoint);
  require_fit(match, opened_.origin);
  weights_ = std::make_unique<Weights>(plan, *opened_.checkpoint, match);
  executable_ = backend.load(std::move(plan), weights_->views(), options);
}

std::map<std::string, std::string> Model::digests() const {
  std::map<std::string, std::string> digests = canonical_digests(*opened_.checkpoint, opened_.origin);
  if (!digests.empty()) return digests;
  const auto& weights = executable_->plan().weights;
  for (size_t i = 0; i < weights.size(); ++i)
    digests[weights[i].name] = sha256_hex(weights_->views()[i].bytes);
  return digests;
}

}  // namespace swinzoo::zoo
