#include "zoo/video_from_tensors.h"

#include <fmt/format.h>

#include "formats/error.h"
#include "zoo/spec_check.h"
#include "zoo/tensor_shapes.h"

namespace swinzoo::zoo {
namespace {

constexpr const char* kFamily = "video_swin";
constexpr int64_t kMostTokens = 1 << 12;  // of a window; the largest published has 784

struct ClipWindow {
  int64_t frames, side;
};

// The length of a window's table of position biases.
int64_t table_rows(const ClipWindow& window) {
  return (2 * window.frames - 1) * (2 * window.side - 1) * (2 * window.side - 1);
}

// The window whose relative_position_index, [tokens, tokens], has this first column. From one token to the
// next the index grows by 1 along a row of the window, by 2 w - 1 from row to row, and by (2 h - 1)(2 w - 1)
// from frame to frame: where it does not, a row or a frame ends.
std::optional<ClipWindow> window_of_index(std::span<const int64_t> index, int64_t tokens) {
  const auto grows_by = [&](int64_t token, int64_t rows) {  // unsigned: the file may hold any numbers
    return static_cast<uint64_t>(index[static_cast<size_t>(token * tokens)]) -
               static_cast<uint64_t>(index[0]) ==
           static_cast<uint64_t>(rows);
  };
  int64_t width = 1, height = 1;
  while (width < tokens && grows_by(width, width)) ++width;
  while (height * width < tokens && grows_by(height * width, height * (2 * width - 1))) ++height;
  if (width != height || tokens % (width * height) != 0) return std::nullopt;
  return ClipWindow{tokens / (width * height), width};
}

std::optional<ClipWindow> read_window(const Checkpoint& checkpoint, const TensorShapes& shapes, int64_t rows,
                                      const Catalog& catalog) {
  const std::string name = "layers.0.blocks.0.attn.relative_position_index";
  const auto shape = shapes.find(name, 2);
  if (shape && shape->at(0) == shape->at(1) && shape->at(0) >= 1 && shape->at(0) <= kMostTokens) {
    Tensor scratch;
    const TensorView view = checkpoint.read(static_cast<size_t>(shapes.index_of(name, 2)), scratch);
    if (view.dtype == DType::kI64) {
      const auto window = window_of_index(view.as<int64_t>(), shape->at(0));
      if (window && table_rows(*window) == rows) return window;
    }
  }
  for (const ModelSpec& known : catalog.architectures()) {
    const ClipWindow window{known.dimensions.window_frames, known.dimensions.window_size.front()};
    if (known.dimensions.family == kFamily && table_rows(window) == rows) return window;
  }
  return std::nullopt;
}

// Depths and heads, stage by stage. False where the tensors are no Video Swin's.
bool read_stages(const TensorShapes& shapes, int64_t table_rows, Dimensions& d) {
  for (int stage = 0;; ++stage) {
    const std::string block = fmt::format("layers.{}.blocks.", stage);
    const auto table = shapes.find(block + "0.attn.relative_position_bias_table", 2);
    if (!table) return stage > 0;
    if (table->at(0) != table_rows) return false;
    d.num_heads.push_back(table->at(1));
    int64_t depth = 0;
    while (shapes.has(fmt::format("{}{}.norm1.weight", block, depth), 1)) ++depth;
    d.depths.push_back(depth);
  }
}

// What names and shapes tell; sizes of clips and windows stay as they are.
std::optional<Dimensions> read_dimensions(const TensorShapes& shapes, int64_t table_rows) {
  const auto patch = shapes.find("patch_embed.proj.weight", 5);
  const auto hidden = shapes.find("layers.0.blocks.0.mlp.fc1.bias", 1);
  Dimensions d;
  if (!patch || !hidden || patch->at(0) < 1 || !read_stages(shapes, table_rows, d)) return std::nullopt;
  d.family = kFamily;
  d.embed_dim = patch->at(0);
  d.in_chans = patch->at(1);
  d.patch_size = patch->at(3);
  d.mlp_ratio = static_cast<double>(hidden->at(0)) / static_cast<double>(d.embed_dim);
  d.qkv_bias = shapes.has("layers.0.blocks.0.attn.qkv.bias", 1);
  return d;
}

// The catalog's architecture that differs in nothing but, maybe, the size of its clips; else its first Video
// Swin; null where it has none.
const ModelSpec* nearest_architecture(const Dimensions& dimensions, const Catalog& catalog) {
  const ModelSpec* first = nullptr;
  for (const ModelSpec& known : catalog.architectures()) {
    if (known.dimensions.family != kFamily) continue;
    Dimensions same = dimensions;
    same.image_size = known.dimensions.image_size;
    same.frames = known.dimensions.frames;
    if (same == known.dimensions) return &known;
    if (first == nullptr) first = &known;
  }
  return first;
}

void set_clip_size(Dimensions& d, const Shape& input) {
  d.frames = input[2];
  d.image_size = input[3];
  d.image_width = input[4] == input[3] ? 0 : input[4];
}

}  // namespace

std::optional<ModelSpec> video_spec_from_tensors(const NamedTensors& tensors, const std::string& where,
                                                 const Catalog& catalog) {
  for (const Layout& layout : layouts_of(kFamily)) {
    const TensorShapes shapes(tensors, layout);
    const auto table = shapes.find("layers.0.blocks.0.attn.relative_position_bias_table", 2);
    if (!table) continue;
    std::optional<Dimensions> dimensions = read_dimensions(shapes, table->at(0));
    if (!dimensions) continue;
    const auto window = read_window(tensors.checkpoint(), shapes, table->at(0), catalog);
    if (!window) {
      fail(ErrorCode::kUnsupported,
           "{}: its tensors are a Video Swin's, but {} rows of position biases don't tell the window; a "
           "config.json beside it settles it",
           where, table->at(0));
    }
    ModelSpec spec;
    Dimensions& d = spec.dimensions;
    d = std::move(*dimensions);
    d.window_frames = window->frames;
    d.window_size.assign(d.depths.size(), window->side);
    spec.architecture = kFamily;
    if (const ModelSpec* known = nearest_architecture(d, catalog)) {
      d.frames = known->dimensions.frames;
      d.image_size = known->dimensions.image_size;
      if (d == known->dimensions) spec.architecture = known->architecture;
      spec.preprocessing = known->preprocessing;
    }
    if (const auto input = signature_shape(tensors.checkpoint(), 5, where)) set_clip_size(d, *input);
    const auto head = shapes.find("cls_head.fc_cls.bias", 1);
    spec.num_classes = head ? head->at(0) : 0;
    spec.task = head ? "classification" : "features";
    check_dimensions(d, where);
    return spec;
  }
  return std::nullopt;
}

}  // namespace swinzoo::zoo
