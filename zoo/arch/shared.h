// What several architectures share.
#pragma once

#include "backends/plan_builder.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// A window never exceeds the grid, and where it covers an axis nothing is shifted there; else every other
// block (`shifted`) shifts by half a window (timm's SwinTransformerBlock._calc_window_shift, and the authors'
// get_window_size for video). Extents are depth, height and width.
backends::Windows windows_of(const backends::Extents& grid, const backends::Extents& window, bool shifted);

// The same for an image's grid [H, W, channels] and square windows.
backends::Windows image_windows(const Shape& grid, int64_t window, bool shifted);

// The hidden width of an MLP on a grid [.., channels].
int64_t hidden_width(const Dimensions& dimensions, const Shape& grid);

// What Swin and Swin V2 end with: the last norm, the mean over all tokens and, if the spec has classes, the
// classifier; and the outputs features, embedding and logits. `x` is the last stage's map.
void end_with_head(backends::PlanBuilder& builder, backends::ValueId x, const ModelSpec& spec);

}  // namespace swinzoo::zoo
