#include "eval/attention_map.h"

#include <algorithm>
#include <cassert>

#include "formats/error.h"

namespace swinzoo::eval {
namespace {

using backends::Attention;
using backends::PatchMerging;
using backends::Plan;
using backends::Windows;

void require_image(const Windows& windows) {
  if (windows.grid[0] != 1)
    fail(ErrorCode::kUnsupported, "attention is drawn over images; the model takes clips");
}

// For each token of the grid: the sum over its window's queries of amount[query] times the share of that
// query's attention which the token gets, padding left out; the mean over heads.
std::vector<float> received(const Attention& attention, std::span<const float> weights,
                            std::span<const float> amount) {
  const Windows& windows = attention.windows;
  const std::vector<int32_t> rows = backends::window_rows(windows);
  const auto tokens = static_cast<size_t>(windows.tokens()), heads = static_cast<size_t>(attention.heads);
  assert(weights.size() == static_cast<size_t>(windows.count()) * heads * tokens * tokens);
  std::vector<double> result(amount.size());
  for (size_t window = 0; window < rows.size() / tokens; ++window) {
    const std::span<const int32_t> places(rows.data() + window * tokens, tokens);
    for (size_t head = 0; head < heads; ++head) {
      for (size_t query = 0; query < tokens; ++query) {
        if (places[query] < 0) continue;
        const float* given = weights.data() + ((window * heads + head) * tokens + query) * tokens;
        double all = 0;
        for (size_t key = 0; key < tokens; ++key) all += places[key] < 0 ? 0 : double{given[key]};
        if (all == 0) continue;  // padding has it all
        const double share = amount[static_cast<size_t>(places[query])] / (all * static_cast<double>(heads));
        for (size_t key = 0; key < tokens; ++key) {
          if (places[key] >= 0) result[static_cast<size_t>(places[key])] += share * given[key];
        }
      }
    }
  }
  return {result.begin(), result.end()};
}

// What each of a merging's inputs counts for, where each of its outputs is shared alike among those that it
// merges: 4, or fewer at the end of an odd side.
TokenMap before_merging(const TokenMap& merged, const Shape& grid) {
  TokenMap map{grid[0], grid[1], 1, {}};
  const auto sharing = [](int64_t at, int64_t extent) { return at + 1 == extent && extent % 2 == 1 ? 1 : 2; };
  for (int64_t y = 0; y < map.height; ++y) {
    for (int64_t x = 0; x < map.width; ++x) {
      const float whole = merged.values[static_cast<size_t>(y / 2 * merged.width + x / 2)];
      map.values.push_back(whole / static_cast<float>(sharing(y, map.height) * sharing(x, map.width)));
    }
  }
  return map;
}

}  // namespace

size_t attention_blocks(const Plan& plan) {
  return static_cast<size_t>(std::count_if(
      plan.steps.begin(), plan.steps.end(),
      [](const backends::Step& step) { return std::holds_alternative<Attention>(step.kernel); }));
}

TokenMap block_attention(const Plan& plan, size_t block, std::span<const float> weights) {
  assert(block < attention_blocks(plan));
  TokenMap map;
  for (const backends::Step& step : plan.steps) {
    if (std::holds_alternative<PatchMerging>(step.kernel)) map.patches *= 2;
    const Attention* attention = std::get_if<Attention>(&step.kernel);
    if (attention == nullptr || block-- > 0) continue;
    const Windows& windows = attention->windows;
    require_image(windows);
    map.height = windows.grid[1];
    map.width = windows.grid[2];
    const std::vector<float> each(static_cast<size_t>(map.height * map.width),
                                  1.0f / static_cast<float>(windows.tokens()));
    map.values = received(*attention, weights, each);
    break;
  }
  return map;
}

TokenMap rolled_out_attention(const Plan& plan, std::span<const std::span<const float>> weights) {
  assert(weights.size() == attention_blocks(plan));
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
    } else if (std::holds_alternative<PatchMerging>(step->kernel)) {
      map = before_merging(map, plan.value(step->input).shape);
    }
  }
  return map;
}

}  // namespace swinzoo::eval
