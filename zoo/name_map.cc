#include "zoo/name_map.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace swinzoo::zoo {
namespace {

using Numbers = std::map<char, int>;  // of {s} and {b}

// Matches `pattern` with the beginning of `name`, up to a dot or the end; returns what follows.
std::optional<std::string_view> match_beginning(std::string_view pattern, std::string_view name,
                                                Numbers& numbers) {
  while (!pattern.empty()) {
    if (pattern.front() != '{') {
      if (name.empty() || name.front() != pattern.front()) return std::nullopt;
      name.remove_prefix(1);
      pattern.remove_prefix(1);
      continue;
    }
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc()) return std::nullopt;
    numbers[pattern[1]] = number;
    name.remove_prefix(static_cast<size_t>(end - name.data()));
    pattern.remove_prefix(3);
  }
  if (!name.empty() && name.front() != '.') return std::nullopt;
  return name;
}

std::string fill(std::string_view pattern, const Numbers& numbers) {
  std::string text;
  while (!pattern.empty()) {
    if (pattern.front() != '{') {
      text += pattern.front();
      pattern.remove_prefix(1);
      continue;
    }
    text += std::to_string(pattern[1] == 'p' ? numbers.at('s') - 1 : numbers.at(pattern[1]));
    pattern.remove_prefix(3);
  }
  return text;
}

// The ending of a weight's name in Keras, and its axes (kernels are [in, out], or [(depth,) height, width,
// in, out]).
void to_keras(WeightPlace& place, const std::string& canonical, const Shape& shape) {
  const bool is_weight = canonical.ends_with(".weight"), is_bias = canonical.ends_with(".bias");
  const std::string_view owner(canonical.data(), canonical.rfind('.'));
  const bool is_norm = owner.ends_with("norm") || owner.ends_with("norm1") || owner.ends_with("norm2");
  for (std::string& name : place.names) {
    if (is_weight) name.replace(name.size() - 6, 6, is_norm ? "gamma" : "kernel");
    if (is_bias && is_norm) name.replace(name.size() - 4, 4, "beta");
    std::ranges::replace(name, '.', '/');
  }
  if (!is_weight || shape.size() < 2) return;
  place.axes = {shape.size() - 1, shape.size() - 2};
  for (size_t axis = 0; axis + 2 < shape.size(); ++axis) place.axes.push_back(axis);
}

// The authors' .pth files, and timm's own before 0.9: a stage's merging at its end, the classifier without
// .fc.
const std::vector<NameRow> kAuthorsRows = {{"layers.{s}.downsample", {"layers.{p}.downsample"}},
                                           {"head.fc", {"head"}}};

// transformers' names; `model` is "swin" or "swinv2", which all but the classifier begin with. Rows of the
// position bias and of the biases of q and v are the families' own.
std::vector<NameRow> transformers_rows(const std::string& model, const std::vector<NameRow>& attention) {
  const std::string block = model + ".encoder.layers.{s}.blocks.{b}";
  const std::string self = block + ".attention.self.";
  std::vector<NameRow> rows = {
      {"patch_embed.proj", {model + ".embeddings.patch_embeddings.projection"}},
      {"patch_embed.norm", {model + ".embeddings.norm"}},
      {"layers.{s}.downsample", {model + ".encoder.layers.{p}.downsample"}},
      {"layers.{s}.blocks.{b}.norm1", {block + ".layernorm_before"}},
      {"layers.{s}.blocks.{b}.attn.qkv", {self + "query", self + "key", self + "value"}},
      {"layers.{s}.blocks.{b}.attn.proj", {block + ".attention.output.dense"}},
      {"layers.{s}.blocks.{b}.norm2", {block + ".layernorm_after"}},
      {"layers.{s}.blocks.{b}.mlp.fc1", {block + ".intermediate.dense"}},
      {"layers.{s}.blocks.{b}.mlp.fc2", {block + ".output.dense"}},
      {"norm", {model + ".layernorm"}},
      {"head.fc", {"classifier"}},
  };
  for (const NameRow& row : attention) {
    rows.push_back({"layers.{s}.blocks.{b}.attn." + row.canonical, {self + row.in_the_file.front()}});
  }
  return rows;
}

const std::vector<Layout>& swin_layouts() {
  static const std::vector<Layout> kLayouts = {
      {"timm", {}},
      {"authors", kAuthorsRows},
      {"transformers",
       transformers_rows("swin", {{"relative_position_bias_table", {"relative_position_bias_table"}}})},
      // sayakpaul/swin-transformers-tf: the object paths of its SavedModels and TensorFlow checkpoints;
      // keras_names.h gives them to HDF5 files.
      {"keras",
       {
           {"patch_embed.proj", {"projection.layer_with_weights-0"}},
           {"patch_embed.norm", {"projection.layer_with_weights-1"}},
           {"layers.{s}.downsample", {"swin_layers.{p}.downsample"}},
           {"layers.{s}.blocks.{b}.mlp.fc1", {"swin_layers.{s}.blocks.{b}.mlp.layer_with_weights-0"}},
           {"layers.{s}.blocks.{b}.mlp.fc2", {"swin_layers.{s}.blocks.{b}.mlp.layer_with_weights-1"}},
           {"layers.{s}", {"swin_layers.{s}"}},
           {"head.fc", {"head"}},
       },
       true},
  };
  return kLayouts;
}

const std::vector<Layout>& swinv2_layouts() {
  static const std::vector<Layout> kLayouts = {
      {"timm", {}},
      {"authors", kAuthorsRows},
      {"transformers", transformers_rows("swinv2", {{"q_bias", {"query.bias"}},
                                                    {"v_bias", {"value.bias"}},
                                                    {"logit_scale", {"logit_scale"}},
                                                    {"cpb_mlp", {"continuous_position_bias_mlp"}}})},
  };
  return kLayouts;
}

const std::vector<Layout>& swinv2_cr_layouts() {
  static const std::vector<Layout> kLayouts = {
      {"timm", {}}, {"releases", {{"head.fc", {"head"}}}},  // timm's own .pth files of before 0.9
  };
  return kLayouts;
}

const std::vector<Layout>& video_swin_layouts() {
  static const std::vector<Layout> kLayouts = {
      {"authors", {}},
      // The same where nothing has unwrapped the recogniser's parts, the backbone and the head.
      {"recogniser",
       {
           {"patch_embed", {"backbone.patch_embed"}},
           {"layers", {"backbone.layers"}},
           {"norm", {"backbone.norm"}},
       }},
      // shoaib6174/GSOC-22-Video-Swin-Transformers: the object paths of its SavedModels. They have no head.
      {"keras",
       {
           {"patch_embed", {"projection"}},
           {"layers.{s}.blocks.{b}.mlp.fc1", {"layers3D.{s}.blocks.{b}.mlp.layer_with_weights-0"}},
           {"layers.{s}.blocks.{b}.mlp.fc2", {"layers3D.{s}.blocks.{b}.mlp.layer_with_weights-1"}},
           {"layers", {"layers3D"}},
       },
       true},
  };
  return kLayouts;
}

}  // namespace

std::span<const Layout> layouts_of(std::string_view family) {
  if (family == "swin") return swin_layouts();
  if (family == "swinv2") return swinv2_layouts();
  if (family == "swinv2_cr") return swinv2_cr_layouts();
  if (family == "video_swin") return video_swin_layouts();
  return {};
}

WeightPlace place_in(const Layout& layout, const std::string& canonical, const Shape& shape) {
  WeightPlace place{{canonical}, {}};
  for (const NameRow& row : layout.rows) {
    Numbers numbers;
    const auto rest = match_beginning(row.canonical, canonical, numbers);
    if (!rest) continue;
    place.names.clear();
    for (const std::string& pattern : row.in_the_file) {
      place.names.push_back(fill(pattern, numbers) + std::string(*rest));
    }
    break;
  }
  if (layout.keras) to_keras(place, canonical, shape);
  return place;
}

}  // namespace swinzoo::zoo
