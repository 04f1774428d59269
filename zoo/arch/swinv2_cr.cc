#include "zoo/arch/swinv2_cr.h"

#include <fmt/format.h>

#include "backends/plan_builder.h"
#include "zoo/arch/shared.h"

namespace swinzoo::zoo {
namespace {

using backends::PlanBuilder;
using backends::ValueId;

// timm's SwinTransformerV2CrStage._extra_norm.
bool has_extra_norm(const Dimensions& d, size_t stage, int64_t block) {
  const int64_t number = block + 1;
  if (d.extra_norm_period > 0 && number % d.extra_norm_period == 0) return true;
  return number == d.depths[stage] && (d.extra_norm_stage || stage + 1 == d.depths.size());
}

}  // namespace

backends::Plan build_swinv2_cr_plan(const ModelSpec& spec) {
  const Dimensions& d = spec.dimensions;
  PlanBuilder builder({d.in_chans, d.image_size, d.image_size});
  ValueId x = builder.patch_embed("patch_embed", builder.input(), d.patch_size, d.embed_dim);
  for (size_t stage = 0; stage < d.depths.size(); ++stage) {
    const std::string scope = fmt::format("stages.{}", stage);
    if (stage > 0) x = builder.patch_merging(scope + ".downsample", x);
    const Shape grid = builder.shape(x);
    for (int64_t block = 0; block < d.depths[stage]; ++block) {
      const std::string name = fmt::format("{}.blocks.{}", scope, block);
      x = builder.attention(name, x,
                            {.kind = PlanBuilder::AttentionKind::kSwinV2Cr,
                             .windows = image_windows(grid, d.window_size[stage], block % 2 == 1),
                             .heads = d.num_heads[stage],
                             .qkv_bias = d.qkv_bias});
      x = builder.mlp(name, x, hidden_width(d, grid), true);
      if (has_extra_norm(d, stage, block)) x = builder.token_norm(name + ".norm3", x);
    }
    builder.output(fmt::format("feature_map.{}", stage), x, true);
  }
  builder.output("features", x, true);
  x = builder.pool("pool", x, backends::OpKind::kAveragePool);
  builder.output("embedding", x);
  if (spec.num_classes > 0) builder.output("logits", builder.head("head.fc", x, spec.num_classes));
  return builder.take();
}

}  // namespace swinzoo::zoo
