#include "zoo/arch/video_swin.h"

#include <fmt/format.h>

#include "backends/plan_builder.h"
#include "zoo/arch/shared.h"

namespace swinzoo::zoo {
namespace {

using backends::Extents;
using backends::PlanBuilder;
using backends::ValueId;
using backends::Windows;

constexpr int64_t kPatchFrames = 2;

// A small grid shrinks the window but not the table of position biases; padding comes before the shift.
Windows clip_windows(const Shape& grid, const Extents& window, bool shifted) {
  Windows windows = windows_of({grid[0], grid[1], grid[2]}, window, shifted);
  windows.full_window = window;
  windows.pads_first = true;
  return windows;
}

}  // namespace

backends::Plan build_video_swin_plan(const ModelSpec& spec) {
  const Dimensions& d = spec.dimensions;
  PlanBuilder builder({d.in_chans, d.frames, d.image_size, d.width()});
  ValueId x = builder.patch_embed("patch_embed", builder.input(), d.patch_size, d.embed_dim, kPatchFrames);
  for (size_t stage = 0; stage < d.depths.size(); ++stage) {
    const std::string scope = fmt::format("layers.{}", stage);
    const Shape grid = builder.shape(x);
    const Extents window = {d.window_frames, d.window_size[stage], d.window_size[stage]};
    for (int64_t block = 0; block < d.depths[stage]; ++block) {
      const std::string name = fmt::format("{}.blocks.{}", scope, block);
      x = builder.attention(name, x,
                            {.windows = clip_windows(grid, window, block % 2 == 1),
                             .heads = d.num_heads[stage],
                             .qkv_bias = d.qkv_bias});
      x = builder.mlp(name, x, hidden_width(d, grid));
    }
    builder.output(fmt::format("feature_map.{}", stage), x, true);
    if (stage + 1 < d.depths.size()) x = builder.patch_merging(scope + ".downsample", x);
  }
  x = builder.token_norm("norm", x);
  builder.output("features", x, true);
  x = builder.pool("pool", x);
  builder.output("embedding", x);
  if (spec.num_classes > 0) builder.output("logits", builder.head("cls_head.fc_cls", x, spec.num_classes));
  return builder.take();
}

}  // namespace swinzoo::zoo
