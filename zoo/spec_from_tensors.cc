#include "zoo/spec_from_tensors.h"

#include <algorithm>
#include <cmath>

#include "formats/error.h"
#include "formats/json.h"
#include "zoo/name_map.h"
#include "zoo/spec_check.h"
#include "zoo/spec_json.h"

namespace swinzoo::zoo {
namespace {

// Looks weights up by their canonical names in a checkpoint of one layout.
class Shapes {
 public:
  Shapes(const Checkpoint& checkpoint, const Layout& layout) : checkpoint_(checkpoint), layout_(layout) {}

  // The canonical shape of a weight of that rank (of one part, where several make it up); nothing if it is
  // missing or of another rank.
  std::optional<Shape> find(const std::string& canonical, size_t rank) const {
    const WeightPlace place = place_in(layout_, canonical, Shape(rank));
    const int64_t index = checkpoint_.find(place.names.front());
    if (index < 0) return std::nullopt;
    const Shape& found = checkpoint_.tensors()[static_cast<size_t>(index)].shape;
    if (found.size() != rank) return std::nullopt;
    if (place.axes.empty()) return found;
    Shape shape;
    for (const size_t axis : place.axes) shape.push_back(found[axis]);
    return shape;
  }

 private:
  const Checkpoint& checkpoint_;
  const Layout& layout_;
};

// Depths, heads and windows, stage by stage, into `d`. False where the tensors are no Swin's.
bool read_stages(const Shapes& shapes, Dimensions& d) {
  for (int stage = 0;; ++stage) {
    const auto block = [&](int number, const char* rest) {
      return fmt::format("layers.{}.blocks.{}.{}", stage, number, rest);
    };
    const auto table = shapes.find(block(0, "attn.relative_position_bias_table"), 2);
    if (!table) return stage > 0;
    const auto side = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(table->at(0)))));
    if (side * side != table->at(0) || side % 2 == 0) return false;
    d.window_size.push_back((side + 1) / 2);
    d.num_heads.push_back(table->at(1));
    int depth = 0;
    while (shapes.find(block(depth, "norm1.weight"), 1)) ++depth;
    d.depths.push_back(depth);
    // timm's and the authors' layouts differ in where the mergings stand.
    if (stage > 0 && !shapes.find(fmt::format("layers.{}.downsample.norm.weight", stage), 1)) return false;
  }
}

// The input's side that a SavedModel's signature names: "[-1, 224, 224, 3]".
std::optional<int64_t> image_size_of(const Checkpoint& checkpoint, const std::string& where) {
  const auto found = checkpoint.metadata().find("signature.input_shape");
  if (found == checkpoint.metadata().end()) return std::nullopt;
  const json::value parsed = parse_json(found->second, where + ": signature");
  const json::array& shape = as_array(parsed, where + ": signature");
  if (shape.size() != 4) return std::nullopt;
  return as_int(shape[1], where + ": signature");
}

// The catalog's architecture that differs in nothing but, maybe, the image size.
const ModelSpec* similar_architecture(const Dimensions& dimensions, const Catalog& catalog) {
  for (const ModelSpec& known : catalog.architectures()) {
    Dimensions same = dimensions;
    same.image_size = known.dimensions.image_size;
    if (same == known.dimensions) return &known;
  }
  return nullptr;
}

// The architecture that the hints name. Tables show windows no larger than the map that they lie on, so the
// architecture's are held against them at the image size that the model has.
const ModelSpec& named_architecture(const Dimensions& found, std::optional<int64_t> image_size,
                                    const std::string& where, const Catalog& catalog,
                                    const std::string& name) {
  const ModelSpec* known = catalog.lookup_architecture(name);
  if (known == nullptr) fail(ErrorCode::kNotFound, "--arch {}: the catalog has no such architecture", name);
  Dimensions expected = known->dimensions, have = found;
  have.image_size = expected.image_size = image_size.value_or(expected.image_size);
  int64_t side = (expected.image_size + expected.patch_size - 1) / expected.patch_size;
  for (int64_t& window : expected.window_size) {
    window = std::min(window, side);
    side = (side + 1) / 2;
  }
  const json::object wanted = to_json(expected), tensors = to_json(have);
  std::vector<std::string> differences;
  for (const auto& member : wanted) {
    const json::value* other = tensors.if_contains(member.key());
    if (other == nullptr || *other == member.value()) continue;
    differences.push_back(fmt::format("{} is {} instead of {}", std::string(member.key()),
                                      to_json_line(*other), to_json_line(member.value())));
  }
  if (have != expected) {
    fail(ErrorCode::kCorrupt, "{}: its tensors are not of {}: {}", where, name, fmt::join(differences, "; "));
  }
  return *known;
}

}  // namespace

std::optional<ModelSpec> spec_from_tensors(const Checkpoint& checkpoint, const std::string& where,
                                           const Catalog& catalog, const SpecHints& hints) {
  for (const Layout& layout : layouts_of("swin")) {
    const Shapes shapes(checkpoint, layout);
    const auto patch = shapes.find("patch_embed.proj.weight", 4);
    const auto hidden = shapes.find("layers.0.blocks.0.mlp.fc1.bias", 1);
    if (!patch || !hidden) continue;
    ModelSpec spec;
    Dimensions& d = spec.dimensions;
    d.family = "swin";
    d.embed_dim = patch->at(0);
    d.in_chans = patch->at(1);
    d.patch_size = patch->at(2);
    if (d.embed_dim < 1 || !read_stages(shapes, d)) continue;
    d.mlp_ratio = static_cast<double>(hidden->at(0)) / static_cast<double>(d.embed_dim);
    d.qkv_bias = shapes.find("layers.0.blocks.0.attn.qkv.bias", 1).has_value();

    std::optional<int64_t> image_size = image_size_of(checkpoint, where);
    if (!image_size && hints.image_size > 0) image_size = hints.image_size;
    const ModelSpec* known = hints.architecture.empty()
                                 ? similar_architecture(d, catalog)
                                 : &named_architecture(d, image_size, where, catalog, hints.architecture);
    if (!image_size && known == nullptr) {
      fail(ErrorCode::kUnsupported,
           "{}: its tensors are a Swin's, but the image size can't be told; a config.json beside it, "
           "--img-size or "
           "--arch settles it",
           where);
    }
    d.image_size = image_size ? *image_size : known->dimensions.image_size;
    spec.architecture = known == nullptr ? "swin" : known->architecture;
    if (known != nullptr) spec.preprocessing = known->preprocessing;
    const auto head = shapes.find("head.fc.bias", 1);
    spec.num_classes = head ? head->at(0) : 0;
    spec.task = head ? "classification" : "features";
    check_dimensions(d, where);
    return spec;
  }
  return std::nullopt;
}

}  // namespace swinzoo::zoo
