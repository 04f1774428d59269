#include "backends/cpu/position_bias.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "backends/masked_score.h"

namespace swinzoo::backends {
namespace {

// out[rows, columns] = x w^T + bias. Small, and done once.
std::vector<float> multiply(const PackedWeights& weights, const Linear& linear, const std::vector<float>& x) {
  const Shape& shape = weights.plan().weight(linear.weight).shape;
  const int64_t columns = shape[0], depth = shape[1], rows = static_cast<int64_t>(x.size()) / depth;
  const std::vector<float> bias = weights.joined_bias(linear);
  const float* w = weights.weight(linear.weight);
  std::vector<float> out(static_cast<size_t>(rows * columns));
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      double sum = bias.empty() ? 0 : bias[static_cast<size_t>(column)];
      for (int64_t k = 0; k < depth; ++k) {
        sum += static_cast<double>(x[static_cast<size_t>(row * depth + k)]) *
               static_cast<double>(w[column * depth + k]);
      }
      out[static_cast<size_t>(row * columns + column)] = static_cast<float>(sum);
    }
  }
  return out;
}

// The table [offsets, heads] that an attention step has, or that its network gives.
std::vector<float> bias_table(const Attention& attention, const PackedWeights& weights) {
  const Windows& windows = attention.windows;
  if (const WeightId* table = std::get_if<WeightId>(&attention.position_bias)) {
    return {weights.weight(*table), weights.weight(*table) + windows.offsets() * attention.heads};
  }
  const auto& network = std::get<PositionNetwork>(attention.position_bias);
  const auto scaled = [&](int64_t offset, size_t axis) {
    return static_cast<float>(
        scaled_offset(network.scale, offset, windows.window[axis], network.pretrained_window));
  };
  std::vector<float> places;
  for (int64_t h = 1 - windows.window[1]; h < windows.window[1]; ++h) {
    for (int64_t w = 1 - windows.window[2]; w < windows.window[2]; ++w) {
      places.push_back(scaled(h, 1));
      places.push_back(scaled(w, 2));
    }
  }
  std::vector<float> hidden = multiply(weights, network.fc1, places);
  for (float& v : hidden) v = std::max(v, 0.0f);
  std::vector<float> table = multiply(weights, network.fc2, hidden);
  if (network.scale == OffsetScale::kSwinV2) {
    for (float& v : table) v = 16 / (1 + std::exp(-v));
  }
  return table;
}

}  // namespace

// relative_position_index[i, j] is p(i) - p(j) + centre, p(token) being linear in the token's depth, height
// and width, and rises by one from token to token along a window's rows. Reversed, the table has its entry
// for keys j, j + 1, ... of one row side by side.
PositionBias::PositionBias(const Attention& attention, const PackedWeights& weights)
    : offsets(attention.windows.offsets()), centre(static_cast<int32_t>(offsets / 2)) {
  const Extents& full = attention.windows.bias_window();
  for (int64_t token = 0; token < attention.windows.tokens(); ++token) {
    const int64_t d = token / (full[1] * full[2]), h = token / full[2] % full[1], w = token % full[2];
    positions.push_back(static_cast<int32_t>((d * (2 * full[1] - 1) + h) * (2 * full[2] - 1) + w));
    if (w == 0) runs.push_back({static_cast<int32_t>(token), 0, positions.back()});
    ++runs.back().length;
  }
  const std::vector<float> table = bias_table(attention, weights);
  tables.resize(table.size() + kSlack);
  for (int64_t head = 0; head < attention.heads; ++head) {
    for (int64_t offset = 0; offset < offsets; ++offset) {
      tables[static_cast<size_t>(head * offsets + offset)] =
          table[static_cast<size_t>((offsets - 1 - offset) * attention.heads + head)] * kLog2E;
    }
  }
}

ShiftMasks::ShiftMasks(const Windows& windows) : tokens(windows.tokens()), stride((tokens + 15) / 16 * 16) {
  if (!windows.shifted()) return;
  const std::vector<int32_t> regions = shift_regions(windows);
  std::map<std::vector<int32_t>, int32_t> known;
  for (auto first = regions.begin(); first != regions.end(); first += tokens) {
    const std::vector<int32_t> labels(first, first + tokens);
    std::vector<int32_t> different = labels;
    std::sort(different.begin(), different.end());
    different.erase(std::unique(different.begin(), different.end()), different.end());
    if (different.size() == 1) {
      patterns.push_back(-1);
      continue;
    }
    const auto [pattern, is_new] = known.emplace(labels, static_cast<int32_t>(known.size()));
    patterns.push_back(pattern->second);
    if (!is_new) continue;
    const auto first_row = static_cast<int32_t>(static_cast<int64_t>(masks.size()) / stride);
    for (const int32_t region : different) {
      for (int64_t key = 0; key < stride; ++key) {
        const bool is_masked = key < tokens && labels[static_cast<size_t>(key)] != region;
        masks.push_back(is_masked ? kMaskedScore * kLog2E : 0.0f);
      }
    }
    for (const int32_t region : labels) {
      const auto row = std::lower_bound(different.begin(), different.end(), region) - different.begin();
      rows.push_back(first_row + static_cast<int32_t>(row));
    }
  }
  masks.resize(masks.size() + kSlack);
}

void ShiftMasks::apply(int64_t window, HeadAttention& head) const {
  const int32_t pattern = patterns.empty() ? -1 : patterns[static_cast<size_t>(window)];
  if (pattern < 0) return;
  head.masks = masks.data();
  head.mask_rows = rows.data() + pattern * tokens;
  head.mask_stride = stride;
}

}  // namespace swinzoo::backends
