// Swin Transformer V2 (arXiv 2111.09883), as timm and transformers build it: norms after attention and MLP,
// cosine attention, and position biases from a network over log-spaced offsets.
#pragma once

#include "backends/plan.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// Weights are named as timm 1.0.31's swin_transformer_v2.py names them. Outputs: feature_map.i [H, W,
// channels] (a stage before merging), features (normed), embedding, logits if there is a head, attention.i of
// every block.
backends::Plan build_swinv2_plan(const ModelSpec& spec);

}  // namespace swinzoo::zoo
