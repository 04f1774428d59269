// Video Swin Transformer (arXiv 2106.13230).
#pragma once

#include "backends/plan.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// As SwinTransformer/Video-Swin-Transformer computes it (mmaction/models/backbones/swin_transformer.py),
// names included. Features and maps are NCDHW, embedding is the mean of the features over depth, height and
// width, logits (cls_head.fc_cls) are there where the spec has classes. Frames and sides may be of any size.
backends::Plan build_video_swin_plan(const ModelSpec& spec);

}  // namespace swinzoo::zoo
