#include "backends/plan.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <set>

#include "backends/plan_builder.h"
#include "formats/error.h"

using namespace swinzoo;
using namespace swinzoo::backends;

TEST_CASE("windows without a shift list their tokens row by row") {
  const Windows windows{{1, 4, 6}, {1, 2, 3}, {0, 0, 0}};
  CHECK(windows.count() == 4);
  CHECK(windows.tokens() == 6);
  CHECK_FALSE(windows.shifted());
  CHECK(window_rows(windows) == std::vector<int32_t>{0,  1,  2,  6,  7,  8,  3,  4,  5,  9,  10, 11,
                                                     12, 13, 14, 18, 19, 20, 15, 16, 17, 21, 22, 23});
}

TEST_CASE("a shift rolls the grid towards its start") {
  // torch.roll(arange(16).view(4, 4), (-1, -1), (0, 1)) cut into 2 x 2 windows.
  const Windows windows{{1, 4, 4}, {1, 2, 2}, {0, 1, 1}};
  CHECK(window_rows(windows) == std::vector<int32_t>{5, 6, 9, 10, 7, 4, 11, 8, 13, 14, 1, 2, 15, 12, 3, 0});
}

TEST_CASE("a grid that the window does not divide is padded at its end") {
  const Windows windows{{1, 3, 3}, {1, 2, 2}, {0, 0, 0}};
  CHECK(windows.count() == 4);
  CHECK(window_rows(windows) == std::vector<int32_t>{0, 1, 3, 4, 2, -1, 5, -1, 6, 7, -1, -1, 8, -1, -1, -1});
}

TEST_CASE("padding comes before the shift or after it as the architecture has it") {
  // [0, 1, 2] in windows of 2, shifted by 1: timm rolls to [1, 2, 0] and pads to [1, 2, 0, -]; the authors of
  // Video Swin pad to [0, 1, 2, -] and roll to [1, 2, -, 0].
  Windows windows{{1, 1, 3}, {1, 1, 2}, {0, 0, 1}};
  CHECK(window_rows(windows) == std::vector<int32_t>{1, 2, 0, -1});
  windows.pads_first = true;
  CHECK(window_rows(windows) == std::vector<int32_t>{1, 2, -1, 0});
  // On the depth axis too.
  windows = {{3, 1, 2}, {2, 1, 2}, {1, 0, 0}, {}, true};
  CHECK(window_rows(windows) == std::vector<int32_t>{2, 3, 4, 5, -1, -1, 0, 1});
}

TEST_CASE("every row of the grid stands in exactly one window") {
  for (const Windows& windows :
       {Windows{{1, 14, 14}, {1, 7, 7}, {0, 3, 3}}, Windows{{1, 10, 13}, {1, 7, 4}, {0, 3, 2}},
        Windows{{4, 9, 9}, {2, 7, 7}, {1, 3, 3}}, Windows{{5, 9, 4}, {2, 7, 3}, {1, 3, 1}, {}, true}}) {
    std::vector<int32_t> rows = window_rows(windows);
    CHECK(rows.size() == static_cast<size_t>(windows.count() * windows.tokens()));
    std::erase(rows, -1);
    std::sort(rows.begin(), rows.end());
    std::vector<int32_t> all(static_cast<size_t>(windows.grid[0] * windows.grid[1] * windows.grid[2]));
    std::iota(all.begin(), all.end(), 0);
    CHECK(rows == all);
  }
}

TEST_CASE("tokens share a region exactly where they were neighbours before the shift") {
  const Windows windows{{1, 8, 8}, {1, 4, 4}, {0, 2, 2}};
  const std::vector<int32_t> rows = window_rows(windows);
  const std::vector<int32_t> regions = shift_regions(windows);
  const auto tokens = static_cast<size_t>(windows.tokens());
  for (size_t window = 0; window < rows.size() / tokens; ++window) {
    for (size_t a = window * tokens; a < (window + 1) * tokens; ++a) {
      for (size_t b = window * tokens; b < (window + 1) * tokens; ++b) {
        // Two tokens of one window are strangers if the roll brought one of them around the grid's edge.
        const bool rows_near = std::abs(rows[a] / 8 - rows[b] / 8) < 4;
        const bool columns_near = std::abs(rows[a] % 8 - rows[b] % 8) < 4;
        CHECK((regions[a] == regions[b]) == (rows_near && columns_near));
      }
    }
  }
}

TEST_CASE("an axis without a shift has one region") {
  const std::vector<int32_t> regions = shift_regions({{1, 4, 8}, {1, 4, 4}, {0, 0, 2}});
  CHECK(std::set<int32_t>(regions.begin(), regions.end()).size() == 3);
}

TEST_CASE("the relative position index is timm's") {
  // timm.models.swin_transformer.get_relative_position_index(2, 2)
  CHECK(relative_position_index({1, 2, 2}, 4) ==
        std::vector<int32_t>{4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4});
}

TEST_CASE("a smaller window has the position biases of a full window's first tokens") {
  // WindowAttention3D(window_size=(2, 2, 2)).relative_position_index[:3, :3]
  CHECK(relative_position_index({2, 2, 2}, 3) == std::vector<int32_t>{13, 12, 10, 14, 13, 11, 16, 15, 13});
  Windows windows{{1, 1, 2}, {1, 1, 2}, {0, 0, 0}};
  CHECK(windows.offsets() == 3);
  windows.full_window = Extents{2, 7, 7};
  CHECK(windows.offsets() == 3 * 13 * 13);
}

TEST_CASE("a batch multiplies windows and stands before everything else") {
  CHECK(batched_shape({{7, 7, 64}, false}, 3) == Shape{3, 7, 7, 64});
  CHECK(batched_shape({{16, 4, 49, 49}, true}, 3) == Shape{48, 4, 49, 49});
}

TEST_CASE("each step ends in its last operation and reads what was made before it") {
  PlanBuilder builder({3, 16, 16});
  ValueId x = builder.patch_embed("patch_embed", builder.input(), 4, 8);
  x = builder.attention("layers.0.blocks.0", x,
                        {.windows = {{1, 4, 4}, {1, 2, 2}, {0, 1, 1}}, .heads = 2, .qkv_bias = true});
  x = builder.mlp("layers.0.blocks.0", x, 32);
  x = builder.patch_merging("layers.1.downsample", x);
  builder.output("logits", builder.head("head.fc", builder.pool("pool", builder.token_norm("norm", x)), 5));
  const Plan plan = builder.take();

  CHECK(plan.steps.size() == 7);
  CHECK(plan.steps[1].name == "layers.0.blocks.0.attn");
  std::set<ValueId> made = {0};
  for (const Step& step : plan.steps) {
    CHECK(made.contains(step.input));
    for (const Op& op : step.ops) {
      for (const ValueId input : op.inputs) CHECK(made.contains(input));
      CHECK(made.insert(op.output).second);
    }
    CHECK(step.output == step.ops.back().output);
  }
  CHECK(plan.find_output("attention.0")->value == plan.steps[1].attention);
  CHECK(plan.find_output("nothing") == nullptr);
  CHECK(plan.value(plan.find_output("logits")->value).shape == Shape{5});
  CHECK(plan.value(plan.steps[3].output).shape == Shape{2, 2, 16});
}
