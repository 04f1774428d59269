#include "zoo/arch/swinv2.h"

#include <fmt/format.h>

#include "backends/plan_builder.h"
#include "zoo/arch/shared.h"

namespace swinzoo::zoo {

using backends::PlanBuilder;
using backends::ValueId;

backends::Plan build_swinv2_plan(const ModelSpec& spec) {
  const Dimensions& d = spec.dimensions;
  PlanBuilder builder({d.in_chans, d.image_size, d.image_size});
  ValueId x = builder.patch_embed("patch_embed", builder.input(), d.patch_size, d.embed_dim);
  for (size_t stage = 0; stage < d.depths.size(); ++stage) {
    const std::string scope = fmt::format("layers.{}", stage);
    if (stage > 0) x = builder.patch_merging(scope + ".downsample", x, true);
    const Shape grid = builder.shape(x);
    for (int64_t block = 0; block < d.depths[stage]; ++block) {
      const std::string name = fmt::format("{}.blocks.{}", scope, block);
      x = builder.attention(name, x,
                            {.kind = PlanBuilder::AttentionKind::kSwinV2,
                             .windows = image_windows(grid, d.window_size[stage], block % 2 == 1),
                             .heads = d.num_heads[stage],
                             .qkv_bias = d.qkv_bias,
                             .pretrained_window = d.pretrained_window_size[stage]});
      x = builder.mlp(name, x, hidden_width(d, grid), true);
    }
    builder.output(fmt::format("feature_map.{}", stage), x);
  }
  end_with_head(builder, x, spec);
  return builder.take();
}

}  // namespace swinzoo::zoo
