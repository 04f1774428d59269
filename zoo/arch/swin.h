// Swin Transformer v1 (arXiv 2103.14030), with a window size for each stage (S3: arXiv 2111.14725).
#pragma once

#include "backends/plan.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// As timm.models.swin_transformer computes it, names and layouts included: features and maps are NHWC,
// embedding is the mean of the features, logits are there where the spec has classes.
backends::Plan build_swin_plan(const ModelSpec& spec);

}  // namespace swinzoo::zoo
