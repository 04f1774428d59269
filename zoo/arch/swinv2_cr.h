// SwinV2-CR: Christoph Reich's and Ross Wightman's own reading of Swin V2, published in timm (swinv2_cr_*).
#pragma once

#include "backends/plan.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// Weights are named as timm 1.0.31's swin_transformer_v2_cr.py names them. A norm on the main branch (norm3)
// ends the last stage, each stage where extra_norm_stage, and every extra_norm_period-th block; there is no
// other final norm. Outputs: feature_map.i [channels, H, W] (a stage before merging), features (the last of
// them), embedding, logits if there is a head, attention.i of every block.
backends::Plan build_swinv2_cr_plan(const ModelSpec& spec);

}  // namespace swinzoo::zoo
