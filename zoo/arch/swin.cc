#include "zoo/arch/swin.h"

#include <fmt/format.h>

#include <algorithm>

#include "backends/plan_builder.h"

namespace swinzoo::zoo {
namespace {

using backends::PlanBuilder;
using backends::ValueId;
using backends::Windows;

// A window never exceeds the grid, and where it covers an axis nothing is shifted there; else every other
// block shifts by half a window (timm's SwinTransformerBlock._calc_window_shift).
Windows windows_of(int64_t height, int64_t width, int64_t window, bool shifted) {
  Windows windows{{1, height, width}, {1, std::min(height, window), std::min(width, window)}, {0, 0, 0}};
  for (size_t axis = 1; axis < 3; ++axis) {
    if (shifted && windows.grid[axis] > windows.window[axis]) windows.shift[axis] = window / 2;
  }
  return windows;
}

}  // namespace

backends::Plan build_swin_plan(const ModelSpec& spec) {
  const Dimensions& d = spec.dimensions;
  PlanBuilder builder({d.in_chans, d.image_size, d.image_size});
  ValueId x = builder.patch_embed("patch_embed", builder.input(), d.patch_size, d.embed_dim);
  for (size_t stage = 0; stage < d.depths.size(); ++stage) {
    const std::string scope = fmt::format("layers.{}", stage);
    if (stage > 0) x = builder.patch_merging(scope + ".downsample", x);
    const Shape grid = builder.shape(x);
    for (int64_t block = 0; block < d.depths[stage]; ++block) {
      const std::string name = fmt::format("{}.blocks.{}", scope, block);
      x = builder.attention(name, x,
                            {windows_of(grid[0], grid[1], d.window_size[stage], block % 2 == 1),
                             d.num_heads[stage], d.qkv_bias});
      x = builder.mlp(name, x, static_cast<int64_t>(static_cast<double>(grid[2]) * d.mlp_ratio));
    }
    builder.output(fmt::format("feature_map.{}", stage), x);
  }
  x = builder.token_norm("norm", x);
  builder.output("features", x);
  x = builder.pool("pool", x);
  builder.output("embedding", x);
  if (spec.num_classes > 0) builder.output("logits", builder.head("head.fc", x, spec.num_classes));
  return builder.take();
}

}  // namespace swinzoo::zoo
