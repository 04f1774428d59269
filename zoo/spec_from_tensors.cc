#include "zoo/spec_from_tensors.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "formats/error.h"
#include "zoo/bias_table.h"
#include "zoo/spec_check.h"
#include "zoo/spec_json.h"
#include "zoo/tensor_shapes.h"
#include "zoo/video_from_tensors.h"

namespace swinzoo::zoo {
namespace {

std::string attention_of(const std::string& stage) { return stage + ".blocks.0.attn."; }

// A stage's heads, and its window where the tensors tell it, into `d`. `stage` is "layers.2". False where the
// tensors are not of the family.
bool read_swin_stage(const TensorShapes& shapes, const std::string& stage, Dimensions& d) {
  const auto table = shapes.find(attention_of(stage) + "relative_position_bias_table", 2);
  if (!table) return false;
  const auto window = window_of_table(table->at(0));
  if (!window) return false;
  d.window_size.push_back(*window);
  d.num_heads.push_back(table->at(1));
  return true;
}

// The authors' files carry the table of scaled offsets, [1, 2 w - 1, 2 w - 1, 2]. Its corner is the scaled
// offset
// -(w - 1), which tells the window that scales (see backends::PositionNetwork).
bool read_swinv2_stage(const TensorShapes& shapes, const std::string& stage, Dimensions& d) {
  const auto scale = shapes.find(attention_of(stage) + "logit_scale", 3);
  if (!scale || !shapes.has(attention_of(stage) + "cpb_mlp.0.weight", 2)) return false;
  d.num_heads.push_back(scale->at(0));
  const std::string name = attention_of(stage) + "relative_coords_table";
  const auto table = shapes.find(name, 4);
  const auto corner = shapes.first_element(name);
  if (!table || !corner || table->at(1) < 3) return true;
  const int64_t window = (table->at(1) + 1) / 2;
  const double reach = 8 * static_cast<double>(window - 1) / (std::exp2(3 * std::abs(*corner)) - 1);
  const auto trained = std::isfinite(reach) && reach < 1e6 ? std::lround(reach) + 1 : 0;
  d.window_size.push_back(window);
  d.pretrained_window_size.push_back(trained == window ? 0 : trained);
  return true;
}

bool read_swinv2_cr_stage(const TensorShapes& shapes, const std::string& stage, Dimensions& d) {
  const auto scale = shapes.find(attention_of(stage) + "logit_scale", 1);
  if (!scale || !shapes.has(attention_of(stage) + "meta_mlp.fc1.weight", 2)) return false;
  d.num_heads.push_back(scale->at(0));
  return true;
}

struct Family {
  std::string_view name;
  std::string_view stages;  // what the stages' names begin with
  bool (*read_stage)(const TensorShapes& shapes, const std::string& stage, Dimensions& d);
};

constexpr std::array<Family, 3> kFamilies = {{
    {"swin", "layers", &read_swin_stage},
    {"swinv2", "layers", &read_swinv2_stage},
    {"swinv2_cr", "stages", &read_swinv2_cr_stage},
}};

// swinv2_cr: which blocks end with a norm on the main branch tells the rule (see zoo/arch/swinv2_cr.h).
void read_extra_norms(const TensorShapes& shapes, const std::string& stage, int64_t depth, Dimensions& d) {
  for (int64_t block = 0; block < depth; ++block) {
    if (!shapes.has(fmt::format("{}.blocks.{}.norm3.weight", stage, block), 1)) continue;
    if (block + 1 == depth) {
      d.extra_norm_stage = d.extra_norm_stage || d.depths.size() == 1;
    } else if (d.extra_norm_period == 0) {
      d.extra_norm_period = block + 1;
    }
  }
}

// Depths, heads, and windows where the tensors tell them, stage by stage. False where the tensors are not of
// the family and layout.
bool read_stages(const Family& family, const TensorShapes& shapes, Dimensions& d) {
  for (int number = 0;; ++number) {
    const std::string stage = fmt::format("{}.{}", family.stages, number);
    if (!shapes.has(stage + ".blocks.0.norm1.weight", 1)) return number > 0;
    if (!family.read_stage(shapes, stage, d)) return false;
    int64_t depth = 0;
    while (shapes.has(fmt::format("{}.blocks.{}.norm1.weight", stage, depth), 1)) ++depth;
    d.depths.push_back(depth);
    if (d.family == "swinv2_cr") read_extra_norms(shapes, stage, depth, d);
    // Layouts differ in where the mergings stand.
    if (number > 0 && !shapes.has(stage + ".downsample.norm.weight", 1)) return false;
  }
}

// What shapes tell; stages without a window stay without.
std::optional<Dimensions> read_dimensions(const Family& family, const TensorShapes& shapes) {
  Dimensions d;
  d.family = family.name;
  const std::string block = fmt::format("{}.0.blocks.0.", family.stages);
  const auto patch = shapes.find("patch_embed.proj.weight", 4);
  const auto hidden = shapes.find(block + "mlp.fc1.bias", 1);
  if (!patch || !hidden || patch->at(0) < 1) return std::nullopt;
  d.embed_dim = patch->at(0);
  d.in_chans = patch->at(1);
  d.patch_size = patch->at(2);
  d.mlp_ratio = static_cast<double>(hidden->at(0)) / static_cast<double>(d.embed_dim);
  d.qkv_bias = shapes.has(block + (d.family == "swinv2" ? "attn.q_bias" : "attn.qkv.bias"), 1);
  if (!read_stages(family, shapes, d)) return std::nullopt;
  if (d.window_size.size() < d.depths.size()) {
    d.window_size.clear();
    d.pretrained_window_size.clear();
  }
  return d;
}

// The windows that blocks have once they are clipped to their stage's grid, as a table of offsets shows them.
std::vector<int64_t> clipped_windows(const Dimensions& d) {
  std::vector<int64_t> windows;
  int64_t side = d.image_size / d.patch_size;
  for (const int64_t window : d.window_size) {
    windows.push_back(std::min(window, side));
    side = (side + 1) / 2;
  }
  return windows;
}

// The catalog's architectures that differ in nothing that was told.
std::vector<const ModelSpec*> similar_architectures(const Dimensions& told, bool image_size_told,
                                                    const Catalog& catalog) {
  std::vector<const ModelSpec*> similar;
  for (const ModelSpec& known : catalog.architectures()) {
    Dimensions same = told;
    if (!image_size_told) same.image_size = known.dimensions.image_size;
    if (told.window_size.empty()) same.pretrained_window_size = known.dimensions.pretrained_window_size;
    same.window_size = known.dimensions.window_size;
    const bool same_windows = told.window_size.empty() || told.window_size == clipped_windows(same);
    if (same_windows && same == known.dimensions) similar.push_back(&known);
  }
  return similar;
}

// The image size that a mask of the authors' files tells, [windows, tokens, tokens] of a shifted block: their
// grids are whole numbers of windows.
std::optional<int64_t> masked_image_size(const TensorShapes& shapes, const Dimensions& d) {
  for (size_t stage = 0; stage < d.window_size.size(); ++stage) {
    const auto mask = shapes.find(fmt::format("layers.{}.blocks.1.attn_mask", stage), 3);
    if (!mask || mask->at(1) != d.window_size[stage] * d.window_size[stage]) continue;
    const auto windows_across = std::lround(std::sqrt(static_cast<double>(mask->at(0))));
    if (windows_across * windows_across != mask->at(0)) continue;
    return (windows_across * d.window_size[stage] * d.patch_size) << stage;
  }
  return std::nullopt;
}

// The architecture that the hints name, whose dimensions must agree with what was told.
const ModelSpec& named_architecture(const Dimensions& told, std::optional<int64_t> image_size,
                                    const std::string& where, const Catalog& catalog,
                                    const SpecHints& hints) {
  const ModelSpec& known = hinted_architecture(hints, catalog);
  Dimensions expected = known.dimensions, have = told;
  have.image_size = expected.image_size = image_size.value_or(expected.image_size);
  expected.window_size = clipped_windows(expected);
  if (have.window_size.empty()) {
    have.window_size = expected.window_size;
    have.pretrained_window_size = expected.pretrained_window_size;
  }
  if (have == expected) return known;
  const json::object wanted = to_json(expected), tensors = to_json(have);
  std::vector<std::string> differences;
  for (const auto& member : wanted) {
    const json::value* other = tensors.if_contains(member.key());
    if (other == nullptr || *other == member.value()) continue;
    differences.push_back(fmt::format("{} is {} instead of {}", std::string(member.key()),
                                      to_json_line(*other), to_json_line(member.value())));
  }
  fail(ErrorCode::kCorrupt, "{}: its tensors are not of {}: {}", where, hints.architecture,
       fmt::join(differences, "; "));
}

// The architecture that has what was told and tells the rest; null where there is none, and the windows are
// told.
const ModelSpec* architecture_of(const Dimensions& told, std::optional<int64_t> image_size,
                                 const std::string& where, const Catalog& catalog, const SpecHints& hints) {
  if (!hints.architecture.empty()) {
    return &named_architecture(told, image_size, where, catalog, hints);
  }
  std::vector<const ModelSpec*> similar = similar_architectures(told, image_size.has_value(), catalog);
  // An architecture that is only larger in its images says the same but for the preprocessing.
  if (similar.empty() && image_size) similar = similar_architectures(told, false, catalog);
  if (told.window_size.empty() && similar.size() != 1) {
    std::vector<std::string_view> names;
    for (const ModelSpec* known : similar) names.push_back(known->architecture);
    fail(ErrorCode::kUnsupported,
         "{}: its tensors are those of a {}, but don't tell the window size{}{}; a config.json beside it or "
         "--arch "
         "settles it",
         where, told.family, names.empty() ? "" : ": it may be ", fmt::join(names, " or "));
  }
  return similar.empty() ? nullptr : similar.front();
}

// Fills in what the tensors don't tell.
ModelSpec complete(Dimensions d, const TensorShapes& shapes, const Checkpoint& checkpoint,
                   const std::string& where, const Catalog& catalog, const SpecHints& hints) {
  std::optional<int64_t> image_size;
  if (const auto input = signature_shape(checkpoint, 4, where))
    image_size = input->at(1);  // [.., H, W, channels]
  if (!image_size) image_size = masked_image_size(shapes, d);
  if (!image_size && hints.image_size > 0) image_size = hints.image_size;
  if (image_size) d.image_size = *image_size;
  const ModelSpec* known = architecture_of(d, image_size, where, catalog, hints);
  if (!image_size && known == nullptr) {
    fail(ErrorCode::kUnsupported,
         "{}: its tensors are those of a {}, but the image size can't be told; a config.json beside it, "
         "--img-size "
         "or --arch settles it",
         where, d.family);
  }
  ModelSpec spec;
  spec.architecture = d.family;
  spec.dimensions = std::move(d);
  if (known != nullptr) {
    spec.architecture = known->architecture;
    spec.preprocessing = known->preprocessing;
    spec.dimensions = known->dimensions;
    spec.dimensions.image_size = image_size.value_or(known->dimensions.image_size);
  }
  return spec;
}

}  // namespace

const ModelSpec& hinted_architecture(const SpecHints& hints, const Catalog& catalog) {
  const ModelSpec* known = catalog.lookup_architecture(hints.architecture);
  if (known == nullptr) {
    fail(ErrorCode::kNotFound, "--arch {}: the catalog has no such architecture", hints.architecture);
  }
  return *known;
}

std::optional<ModelSpec> spec_from_tensors(const Checkpoint& checkpoint, const std::string& where,
                                           const Catalog& catalog, const SpecHints& hints) {
  const NamedTensors tensors(checkpoint);
  for (const Family& family : kFamilies) {
    for (const Layout& layout : layouts_of(family.name)) {
      const TensorShapes shapes(tensors, layout);
      std::optional<Dimensions> dimensions = read_dimensions(family, shapes);
      if (!dimensions) continue;
      ModelSpec spec = complete(std::move(*dimensions), shapes, checkpoint, where, catalog, hints);
      const auto head = shapes.find("head.fc.bias", 1);
      spec.num_classes = head ? head->at(0) : 0;
      spec.task = head ? "classification" : "features";
      check_dimensions(spec.dimensions, where);
      return spec;
    }
  }
  return video_spec_from_tensors(tensors, where, catalog);
}

}  // namespace swinzoo::zoo
