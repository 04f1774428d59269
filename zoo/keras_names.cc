#include "zoo/keras_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <set>
#include <utility>

#include "formats/number.h"

namespace swinzoo::zoo {
namespace {

using Names = std::vector<std::string>;

// The last part of a path, without the ":0" that TensorFlow's names end in.
std::string_view last_part(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  return path.substr(0, path.rfind(':'));
}

// The paths of tensors in the model's order, from their last parts alone:
//   kernel bias [gamma beta]                               projection
//   per block      gamma beta table, kernel [bias] x 2,    norm1 and attn
//                  gamma beta, kernel bias x 2             norm2 and mlp
//   between stages gamma beta kernel                       downsample
//   gamma beta [kernel bias]                               norm and head
class InOrder {
 public:
  explicit InOrder(const std::vector<TensorInfo>& tensors) {
    for (const TensorInfo& tensor : tensors) parts_.push_back(last_part(tensor.name));
  }

  std::optional<Names> paths() {
    if (!take("projection/layer_with_weights-0", {"kernel", "bias"})) return std::nullopt;
    if (next_are({"gamma", "beta", "gamma", "beta", kTable})) {
      take("projection/layer_with_weights-1", {"gamma", "beta"});
    }
    for (int stage = 0;; ++stage) {
      const std::string path = fmt::format("swin_layers/{}", stage);
      int blocks = 0;
      while (next_are({"gamma", "beta", kTable})) {
        if (!take_block(fmt::format("{}/blocks/{}", path, blocks++))) return std::nullopt;
      }
      if (blocks == 0) return std::nullopt;
      if (!next_are({"gamma", "beta", "kernel", "gamma"})) break;
      take(path + "/downsample/norm", {"gamma", "beta"});
      take(path + "/downsample/reduction", {"kernel"});
    }
    if (!take("norm", {"gamma", "beta"})) return std::nullopt;
    take("head", {"kernel", "bias"});
    return paths_.size() == parts_.size() ? std::optional(std::move(paths_)) : std::nullopt;
  }

 private:
  using Parts = std::initializer_list<std::string_view>;

  static constexpr std::string_view kTable = "relative_position_bias_table";

  bool next_are(Parts parts) const {
    const size_t at = paths_.size();
    return parts.size() <= parts_.size() - at &&
           std::equal(parts.begin(), parts.end(), parts_.begin() + static_cast<ptrdiff_t>(at));
  }

  // Names the next tensors, if their last parts are these.
  bool take(const std::string& owner, Parts parts) {
    if (!next_are(parts)) return false;
    for (const std::string_view part : parts) paths_.push_back(fmt::format("{}/{}", owner, part));
    return true;
  }

  bool take_with_bias_or_without(const std::string& owner) {
    return take(owner, {"kernel", "bias"}) || take(owner, {"kernel"});
  }

  bool take_block(const std::string& path) {
    return take(path + "/norm1", {"gamma", "beta"}) && take(path + "/attn", {kTable}) &&
           take_with_bias_or_without(path + "/attn/qkv") && take_with_bias_or_without(path + "/attn/proj") &&
           take(path + "/norm2", {"gamma", "beta"}) &&
           take(path + "/mlp/layer_with_weights-0", {"kernel", "bias"}) &&
           take(path + "/mlp/layer_with_weights-1", {"kernel", "bias"});
  }

  std::vector<std::string_view> parts_;
  Names paths_;
};

// What stands for a part of a name in Keras' format 3, where "{}" is the number at its end: none for the
// first of its class, then "_1", ...
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kParts = {{
    {"basic_layer", "{}"},
    {"swin_transformer_block", "blocks/{}"},
    {"window_attention", "attn"},
    {"patch_merging", "downsample"},
    {"conv2d", "layer_with_weights-0"},
    {"layer_normalization", "layer_with_weights-1"},
    {"dense", "layer_with_weights-{}"},
}};

std::string object_of(std::string_view part) {
  for (const auto& [name, stands_for] : kParts) {
    if (!part.starts_with(name)) continue;
    std::string_view rest = part.substr(name.size());
    int number = 0;
    if (!rest.empty()) {
      if (rest.front() != '_') continue;
      rest.remove_prefix(1);
      const auto stated = whole_number<int>(rest);
      if (!stated) continue;
      number = *stated;
    }
    return fmt::format(fmt::runtime(stands_for), number);
  }
  return std::string(part);
}

// "swin_layers/1/blocks/0/attn/qkv/bias" for
// "swin_layers/basic_layer_1/layers/swin_transformer_block/layers/window_attention/qkv/vars/1"
std::string path_of(std::string_view name) {
  std::string path;
  std::string_view rest = name;
  while (!rest.empty() && !rest.starts_with("vars/")) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (part == "layers") continue;  // those of a model, beside its attributes
    path += (path.empty() ? "" : "/") + (path.empty() && part == "dense" ? "head" : object_of(part));
  }
  const std::string_view owner = last_part(path);
  const bool is_norm = owner.starts_with("norm") || path == "projection/layer_with_weights-1";
  if (rest == "vars/0")
    return path + (owner == "attn" ? "/relative_position_bias_table" : is_norm ? "/gamma" : "/kernel");
  if (rest == "vars/1") return path + (is_norm ? "/beta" : "/bias");
  return std::string(name);
}

std::optional<Names> paths_of_format_3(const std::vector<TensorInfo>& tensors) {
  constexpr std::string_view kFirst = "projection/layers/conv2d/vars/0";
  const auto first =
      std::ranges::find_if(tensors, [&](const TensorInfo& t) { return t.name.ends_with(kFirst); });
  if (first == tensors.end()) return std::nullopt;
  const std::string_view model = std::string_view(first->name).substr(0, first->name.size() - kFirst.size());
  Names paths;
  for (const TensorInfo& tensor : tensors) {
    const bool is_within = tensor.name.starts_with(model);
    paths.push_back(is_within ? path_of(tensor.name.substr(model.size())) : tensor.name);
  }
  return paths;
}

class Renamed : public Checkpoint {
 public:
  Renamed(std::unique_ptr<Checkpoint> checkpoint, Names names)
      : checkpoint_(std::move(checkpoint)), tensors_(checkpoint_->tensors()) {
    for (size_t i = 0; i < tensors_.size(); ++i) tensors_[i].name = std::move(names[i]);
  }

  std::string_view format() const override { return checkpoint_->format(); }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return checkpoint_->metadata(); }
  TensorView read(size_t index, Tensor& scratch) const override { return checkpoint_->read(index, scratch); }
  void release(size_t index) const override { checkpoint_->release(index); }

 private:
  std::unique_ptr<Checkpoint> checkpoint_;
  std::vector<TensorInfo> tensors_;
};

}  // namespace

std::unique_ptr<Checkpoint> with_object_paths(std::unique_ptr<Checkpoint> checkpoint) {
  if (checkpoint->format() != "hdf5" && checkpoint->format() != "keras") return checkpoint;
  std::optional<Names> paths = paths_of_format_3(checkpoint->tensors());
  if (!paths) paths = InOrder(checkpoint->tensors()).paths();
  if (!paths) return checkpoint;
  const bool are_unique = std::set<std::string_view>(paths->begin(), paths->end()).size() == paths->size();
  return are_unique ? std::make_unique<Renamed>(std::move(checkpoint), std::move(*paths))
                    : std::move(checkpoint);
}

}  // namespace swinzoo::zoo
