#include "zoo/arch/shared.h"

#include <algorithm>

namespace swinzoo::zoo {

backends::Windows windows_of(const backends::Extents& grid, const backends::Extents& window, bool shifted) {
  backends::Windows windows{grid, {}, {}};
  for (size_t axis = 0; axis < 3; ++axis) {
    windows.window[axis] = std::min(grid[axis], window[axis]);
    if (shifted && grid[axis] > window[axis]) windows.shift[axis] = window[axis] / 2;
  }
  return windows;
}

backends::Windows image_windows(const Shape& grid, int64_t window, bool shifted) {
  return windows_of({1, grid[0], grid[1]}, {1, window, window}, shifted);
}

int64_t hidden_width(const Dimensions& dimensions, const Shape& grid) {
  return static_cast<int64_t>(static_cast<double>(grid.back()) * dimensions.mlp_ratio);
}

void end_with_head(backends::PlanBuilder& builder, backends::ValueId x, const ModelSpec& spec) {
  x = builder.token_norm("norm", x);
  builder.output("features", x);
  x = builder.pool("pool", x);
  builder.output("embedding", x);
  if (spec.num_classes > 0) builder.output("logits", builder.head("head.fc", x, spec.num_classes));
}

}  // namespace swinzoo::zoo
