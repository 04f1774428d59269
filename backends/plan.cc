#include "backends/plan.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

namespace swinzoo::backends {
namespace {

Extents padded_grid(const Windows& w) {
  Extents padded{};
  for (size_t axis = 0; axis < 3; ++axis) {
    padded[axis] = (w.grid[axis] + w.window[axis] - 1) / w.window[axis] * w.window[axis];
  }
  return padded;
}

// Calls visit(d, h, w) with the place in the shifted, padded grid of each window's tokens, window by window.
template <typename Visit>
void for_each_token(const Windows& windows, Visit visit) {
  const Extents padded = padded_grid(windows);
  const auto& window = windows.window;
  for (int64_t wd = 0; wd < padded[0]; wd += window[0]) {
    for (int64_t wh = 0; wh < padded[1]; wh += window[1]) {
      for (int64_t ww = 0; ww < padded[2]; ww += window[2]) {
        for (int64_t d = wd; d < wd + window[0]; ++d) {
          for (int64_t h = wh; h < wh + window[1]; ++h) {
            for (int64_t w = ww; w < ww + window[2]; ++w) visit(d, h, w);
          }
        }
      }
    }
  }
}

}  // namespace

std::string_view kind_of(const Step& step) {
  // In the order of Step::kernel's alternatives.
  static constexpr std::array<std::string_view, std::variant_size_v<decltype(Step::kernel)>> kKinds = {
      "patch_embed", "attention", "mlp", "patch_merging", "norm", "pool", "head"};
  return kKinds[step.kernel.index()];
}

Shape batched_shape(const Value& value, int64_t batch) {
  Shape shape = value.shape;
  if (value.windowed) {
    shape.front() *= batch;
  } else {
    shape.insert(shape.begin(), batch);
  }
  return shape;
}

Extents extents_of(std::span<const int64_t> sizes) {
  assert(sizes.size() == 2 || sizes.size() == 3);
  return sizes.size() == 2 ? Extents{1, sizes[0], sizes[1]} : Extents{sizes[0], sizes[1], sizes[2]};
}

int64_t Windows::count() const {
  const Extents padded = padded_grid(*this);
  return padded[0] * padded[1] * padded[2] / tokens();
}

int64_t Windows::offsets() const {
  const Extents& full = bias_window();
  return (2 * full[0] - 1) * (2 * full[1] - 1) * (2 * full[2] - 1);
}

std::vector<int32_t> window_rows(const Windows& windows) {
  const Extents& grid = windows.grid;
  const Extents rolled = windows.pads_first ? padded_grid(windows) : grid;
  std::vector<int32_t> rows;
  rows.reserve(static_cast<size_t>(windows.count() * windows.tokens()));
  // Where a place of the shifted, padded grid comes from on that axis; -1 where from padding.
  const auto source = [&](size_t axis, int64_t place) -> int64_t {
    if (place >= rolled[axis]) return -1;
    const int64_t from = (place + windows.shift[axis]) % rolled[axis];
    return from < grid[axis] ? from : -1;
  };
  for_each_token(windows, [&](int64_t d, int64_t h, int64_t w) {
    const int64_t from_d = source(0, d), from_h = source(1, h), from_w = source(2, w);
    const bool is_padding = from_d < 0 || from_h < 0 || from_w < 0;
    rows.push_back(is_padding ? -1 : static_cast<int32_t>((from_d * grid[1] + from_h) * grid[2] + from_w));
  });
  return rows;
}

std::vector<int32_t> shift_regions(const Windows& windows) {
  assert(windows.shifted());
  const Extents padded = padded_grid(windows);
  // An axis has three regions: all but the last window, what the shift leaves of that window, and what it
  // brought in. Python's slices (0, -window), (-window, -shift), (-shift, None), the last of which covers
  // everything if shift is 0.
  const auto region = [&](size_t axis, int64_t place) -> int32_t {
    if (windows.shift[axis] == 0 || place >= padded[axis] - windows.shift[axis]) return 2;
    return place >= padded[axis] - windows.window[axis] ? 1 : 0;
  };
  std::vector<int32_t> labels;
  labels.reserve(static_cast<size_t>(windows.count() * windows.tokens()));
  for_each_token(windows, [&](int64_t d, int64_t h, int64_t w) {
    labels.push_back((region(0, d) * 3 + region(1, h)) * 3 + region(2, w));
  });
  return labels;
}

std::vector<int32_t> relative_position_index(const Extents& window, int64_t tokens) {
  const auto [depth, height, width] = window;
  std::vector<Extents> places;
  for (int64_t d = 0; d < depth; ++d) {
    for (int64_t h = 0; h < height; ++h) {
      for (int64_t w = 0; w < width; ++w) places.push_back({d, h, w});
    }
  }
  places.resize(static_cast<size_t>(tokens));
  std::vector<int32_t> index;
  index.reserve(places.size() * places.size());
  for (const auto& query : places) {
    for (const auto& key : places) {
      const int64_t d = query[0] - key[0] + depth - 1;
      const int64_t h = query[1] - key[1] + height - 1;
      const int64_t w = query[2] - key[2] + width - 1;
      index.push_back(static_cast<int32_t>((d * (2 * height - 1) + h) * (2 * width - 1) + w));
    }
  }
  return index;
}

double scaled_offset(OffsetScale scale, int64_t offset, int64_t window, int64_t pretrained_window) {
  const auto x = static_cast<double>(offset);
  if (scale == OffsetScale::kSwinV2Cr) return std::copysign(std::log1p(std::abs(x)), x);
  const int64_t reach = (pretrained_window > 0 ? pretrained_window : window) - 1;
  if (reach == 0) return 0;  // a window of one token
  const double scaled = 8 * x / static_cast<double>(reach);
  return std::copysign(std::log2(1 + std::abs(scaled)) / 3, scaled);
}

std::string_view name_of(OpKind kind) {
  switch (kind) {
    case OpKind::kPatchConv:
      return "patch_conv";
    case OpKind::kLayerNorm:
      return "layer_norm";
    case OpKind::kWindowPartition:
      return "window_partition";
    case OpKind::kLinear:
      return "linear";
    case OpKind::kScores:
      return "scores";
    case OpKind::kCosineScores:
      return "cosine_scores";
    case OpKind::kTableCoordinates:
      return "table_coordinates";
    case OpKind::kPairCoordinates:
      return "pair_coordinates";
    case OpKind::kRelu:
      return "relu";
    case OpKind::kScaledSigmoid:
      return "scaled_sigmoid";
    case OpKind::kPairBias:
      return "pair_bias";
    case OpKind::kPositionBias:
      return "position_bias";
    case OpKind::kAddBias:
      return "add_bias";
    case OpKind::kSoftmax:
      return "softmax";
    case OpKind::kWeightedValues:
      return "weighted_values";
    case OpKind::kWindowReverse:
      return "window_reverse";
    case OpKind::kAdd:
      return "add";
    case OpKind::kGelu:
      return "gelu";
    case OpKind::kMergePatches:
      return "merge_patches";
    case OpKind::kMeanPool:
      return "mean_pool";
    case OpKind::kAveragePool:
      return "average_pool";
  }
  return "?";
}

const Output* Plan::find_output(std::string_view name) const {
  const auto found =
      std::find_if(outputs.begin(), outputs.end(), [&](const Output& o) { return o.name == name; });
  return found == outputs.end() ? nullptr : &*found;
}

Shape Plan::input_shape(int64_t batch) const {
  Shape shape = input;
  shape.insert(shape.begin(), batch);
  return shape;
}

Shape Plan::output_shape(const Output& output, int64_t batch) const {
  Shape shape = batched_shape(value(output.value), batch);
  if (output.channels_first) std::rotate(shape.begin() + 1, shape.end() - 1, shape.end());
  return shape;
}

}  // namespace swinzoo::backends
