#include "eval/attention_map.h"

#include <algorithm>
#include <cassert>

#include "formats/error.h"

namespace swinzoo::eval {
namespace {

using backends::Attention;
using backends::Plan;
using backends::Windows;

std::vector<const Attention*> attentions_of(const Plan& plan) {
  std::vector<const Attention*> attentions;
  for (const backends::Step& step : plan.steps) {
    if (const Attention* attention = std::get_if<Attention>(&step.kernel)) attentions.push_back(attention);
  }
  return attentions;
}

void require_image(const Windows& windows) {
  if (windows.grid[0] != 1) fail(ErrorCode::kUnsupported, "attention is drawn over images; the model takes clips");
}

// For each token of the grid: the sum over its window's queries of amount[query] times the weight that the query gives
// it, the mean over heads.
std::vector<float> received(const Attention& attention, std::span<const float> weights,
                            std::span<const float> amount) {
  const Windows& windows = attention.windows;
  const std::vector<int32_t> rows = backends::window_rows(windows);
  const auto tokens = static_cast<size_t>(windows.tokens()), heads = static_cast<size_t>(attention.heads);
  assert(weights.size() == static_cast<size_t>(windows.count()) * heads * tokens * tokens);
  std::vector<float> result(amount.size(), 0.0f);
  for (size_t window = 0; window < rows.size() / tokens; ++window) {
    const int32_t* places = rows.data() + window * tokens;
    for (size_t head = 0; head < heads; ++head) {
      const float* matrix = weights.data() + (window * heads + head) * tokens * tokens;
      for (size_t query = 0; query < tokens; ++query) {
        if (places[query] < 0) continue;
        const float share = amount[static_cast<size_t>(places[query])] / static_cast<float>(heads);
        for (size_t key = 0; key < tokens; ++key) {
          if (places[key] >= 0) result[static_cast<size_t>(places[key])] += share * matrix[query * tokens + key];
        }
      }
    }
  }
  return result;
}

}  // namespace

size_t attention_blocks(const Plan& plan) { return attentions_of(plan).size(); }

TokenMap block_attention(const Plan& plan, size_t block, std::span<const float> weights) {
  const Attention& attention = *attentions_of(plan)[block];
  require_image(attention.windows);
  const auto& [depth, height, width] = attention.windows.grid;
  const std::vector<float> each(static_cast<size_t>(height * width),
                                1.0f / static_cast<float>(attention.windows.tokens()));
  return {height, width, received(attention, weights, each)};
}

TokenMap rolled_out_attention(const Plan& plan, std::span<const std::span<const float>> weights) {
  TokenMap map;
  size_t block = weights.size();
  for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
    if (const Attention* attention = std::get_if<Attention>(&step->kernel)) {
      require_image(attention->windows);
      if (map.values.empty()) {  // the last block: its tokens count alike in the mean
        map.height = attention->windows.grid[1];
        map.width = attention->windows.grid[2];
        const auto tokens = static_cast<size_t>(map.height * map.width);
        map.values.assign(tokens, 1.0f / static_cast<float>(tokens));
      }
      const std::vector<float> mixed = received(*attention, weights[--block], map.values);
      for (size_t i = 0; i < mixed.size(); ++i) map.values[i] = (map.values[i] + mixed[i]) / 2;
    } else if (std::holds_alternative<backends::PatchMerging>(step->kernel)) {
      const Shape& grid = plan.value(step->input).shape;
      TokenMap finer{grid[0], grid[1], {}};
      for (int64_t y = 0; y < finer.height; ++y) {
        for (int64_t x = 0; x < finer.width; ++x) {
          finer.values.push_back(map.values[static_cast<size_t>(y / 2 * map.width + x / 2)] / 4);
        }
      }
      map = std::move(finer);
    }
  }
  return map;
}

}  // namespace swinzoo::eval
