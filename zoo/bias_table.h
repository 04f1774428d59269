// Position bias tables at another window size than the one that they were trained with.
#pragma once

#include <optional>

#include "formats/tensor.h"

namespace swinzoo::zoo {

// The square window whose table has so many rows, (2 w - 1)^2; nothing where none has.
std::optional<int64_t> window_of_table(int64_t rows);

// A table [(2 w - 1)^2, heads] for a square window of `window` instead of w, as timm 1.0.31's
// resize_rel_pos_bias_table makes it (after BEiT's): the offsets of the old table are spread so that they
// grow geometrically and reach the new window's ends, and the new offsets are read off between them,
// linearly. REQUIRES: the view is F32, [odd square, heads].
Tensor resized_bias_table(const TensorView& table, int64_t window);

}  // namespace swinzoo::zoo
