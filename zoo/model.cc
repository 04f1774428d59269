#include "zoo/model.h"

#include <algorithm>
#include <filesystem>

#include "formats/error.h"
#include "formats/json.h"
#include "formats/sha256.h"
#include "zoo/architecture.h"
#include "zoo/canonical.h"
#include "zoo/class_names.h"
#include "zoo/config_json.h"
#include "zoo/hub.h"
#include "zoo/image_size.h"
#include "zoo/keras_names.h"
#include "zoo/model_source.h"
#include "zoo/spec_check.h"

namespace swinzoo::zoo {
namespace {

ModelSpec spec_from_files(const ModelFiles& files, const Checkpoint& checkpoint, const Catalog& catalog,
                          const SpecHints& hints) {
  const std::string where = files.checkpoint.string();
  if (files.config) {
    std::optional<json::value> preprocessor;
    if (files.preprocessor_config) preprocessor = read_json(*files.preprocessor_config);
    return spec_from_config(read_json(*files.config), files.config->string(), catalog,
                            preprocessor ? &*preprocessor : nullptr);
  }
  if (auto spec = spec_from_tensors(checkpoint, where, catalog, hints)) return std::move(*spec);
  if (!hints.architecture.empty()) {
    ModelSpec spec = hinted_architecture(hints, catalog);
    if (hints.image_size > 0) spec.dimensions.image_size = hints.image_size;
    check_dimensions(spec.dimensions, where);
    return spec;
  }
  fail(ErrorCode::kUnsupported,
       "{}: no config.json stands beside it, and its tensors' names tell no architecture that is built; "
       "--arch "
       "settles it",
       where);
}

// Runs the model at the size that the hints ask for.
void apply(const SpecHints& hints, ModelSpec& spec) {
  if (hints.image_size == 0 && hints.frames == 0) return;
  set_input_size(spec, hints.image_size > 0 ? hints.image_size : spec.dimensions.image_size, hints.frames);
}

// What a model outside the catalog is called: OWNER/REPO, a handle, the name of a URL's file, or the name of
// its folder, which does not depend on where the folder lies.
std::string id_of(const std::string& model, const ModelFiles& files) {
  if (is_hub_ref(model)) return parse_hub_ref(model).repo;
  const Source source = parse_source(model);
  if (source.kind == SourceKind::kUrl) return source.file_name();
  if (source.is_file()) return source.handle();
  const auto path = std::filesystem::absolute(files.checkpoint).lexically_normal();
  return (std::filesystem::is_directory(path) ? path : path.parent_path()).filename().string();
}

}  // namespace

ModelFiles find_files(const std::string& model, const Catalog& catalog) {
  const ModelSpec* entry = catalog.lookup(model);
  if (entry == nullptr && catalog.lookup_architecture(model) != nullptr) {
    fail(ErrorCode::kNotFound, "'{}' is an architecture; its weights come with an entry (see 'swinzoo list')",
         model);
  }
  if (entry == nullptr && !names_files(model)) catalog.find(model);  // says what may have been meant
  return resolve_model_files(model, entry == nullptr ? std::vector<std::string>() : entry->sources);
}

OpenedFiles open_files(const std::string& model, const Catalog& catalog) {
  OpenedFiles opened;
  opened.files = find_files(model, catalog);
  opened.checkpoint = with_object_paths(open_checkpoint(opened.files.checkpoint));
  return opened;
}

ModelSpec spec_of(const std::string& model, const OpenedFiles& opened, const Catalog& catalog,
                  const SpecHints& hints) {
  const ModelSpec* entry = catalog.lookup(model);
  ModelSpec spec;
  if (entry != nullptr) {
    spec = *entry;
    if (const auto& config = opened.files.config) {  // transformers' tells the names of 21841 classes
      spec.class_names =
          class_names_from_config(as_object(read_json(*config), config->string()), spec.num_classes);
    }
  } else if (auto carried = canonical_spec(*opened.checkpoint, opened.files.checkpoint.string())) {
    spec = std::move(*carried);
  } else {
    spec = spec_from_files(opened.files, *opened.checkpoint, catalog, hints);
    spec.id = id_of(model, opened.files);
  }
  if (!hints.architecture.empty() && hints.architecture != spec.architecture) {
    fail(ErrorCode::kUsage, "--arch {}: {} says that it is {}", hints.architecture, opened.files.origin,
         spec.architecture);
  }
  return spec;
}

OpenedModel open_model(const std::string& model, const Catalog& catalog, const SpecHints& hints) {
  OpenedFiles opened = open_files(model, catalog);
  ModelSpec spec = spec_of(model, opened, catalog, hints);
  const Dimensions own = spec.dimensions;
  apply(hints, spec);
  if (spec.dimensions != own) opened.checkpoint = with_resized_tables(std::move(opened.checkpoint), spec);
  return {std::move(spec), std::move(opened.files.origin), std::move(opened.checkpoint)};
}

bool names_files(const std::string& model) {
  std::error_code error;  // a name too long for a file is no file
  return model.find(':') != std::string::npos || model.starts_with('/') || model.starts_with('.') ||
         model.ends_with(".safetensors") || std::filesystem::exists(model, error);
}

ModelSpec find_spec(const std::string& model, const Catalog& catalog, const SpecHints& hints) {
  const ModelSpec* known = catalog.lookup(model);
  if (known == nullptr) known = catalog.lookup_architecture(model);
  if (known == nullptr) return open_model(model, catalog, hints).spec;
  ModelSpec spec = *known;
  apply(hints, spec);
  return spec;
}

Model::Model(OpenedModel opened, const backends::Backend& backend, const backends::LoadOptions& options)
    : opened_(std::move(opened)) {
  backends::Plan plan = build_plan(opened_.spec);
  const WeightMatch match = match_weights(plan, opened_.spec.dimensions.family, *opened_.checkpoint);
  require_fit(match, opened_.origin);
  weights_ = std::make_unique<Weights>(plan, *opened_.checkpoint, match);
  executable_ = backend.load(std::move(plan), weights_->views(), options);
}

Digests Model::digests() const {
  const auto& tensors = opened_.checkpoint->tensors();
  const bool is_rounded =
      std::any_of(tensors.begin(), tensors.end(), [](const auto& t) { return t.dtype != DType::kF32; });
  const Digests carried = is_rounded ? Digests() : canonical_digests(*opened_.checkpoint, opened_.origin);
  Digests digests;
  const auto& weights = executable_->plan().weights;
  for (size_t i = 0; i < weights.size(); ++i) {
    const std::string& name = weights[i].name;
    const std::string& digest = digests[name] = sha256_hex(weights_->views()[i].bytes);
    const auto claim = carried.find(name);
    if (claim != carried.end() && claim->second != digest) {
      fail(ErrorCode::kCorrupt, "{}: {} is not what the file's own digests say (see 'swinzoo verify')",
           opened_.origin, name);
    }
  }
  return digests;
}

}  // namespace swinzoo::zoo
