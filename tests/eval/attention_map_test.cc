#include "eval/attention_map.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <random>

#include "backends/plan_builder.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using backends::Plan;
using backends::PlanBuilder;
using backends::Windows;

namespace {

// A plan over `side` x `side` patches: two blocks, the second shifted, a merging, and a block of one window
// of all. The windows are 4 x 4.
Plan made_plan(int64_t side) {
  PlanBuilder builder({3, 4 * side, 4 * side});
  const auto attention = [&](backends::ValueId x, const Windows& windows) {
    return builder.attention("block", x, {.windows = windows, .heads = 2, .qkv_bias = true});
  };
  backends::ValueId x = builder.patch_embed("patch_embed", builder.input(), 4, 8);
  x = attention(x, {{1, side, side}, {1, 4, 4}, {0, 0, 0}});
  x = attention(x, {{1, side, side}, {1, 4, 4}, {0, 2, 2}});
  x = builder.patch_merging("merging", x);
  const int64_t half = (side + 1) / 2;
  attention(x, {{1, half, half}, {1, half, half}, {0, 0, 0}});
  return builder.take();
}

std::vector<float> empty_weights(const Plan& plan, const std::string& output) {
  return std::vector<float>(
      static_cast<size_t>(element_count(plan.output_shape(*plan.find_output(output), 1))));
}

// Every token attends to itself alone.
std::vector<float> identity_weights(const Plan& plan, const std::string& output) {
  std::vector<float> weights = empty_weights(plan, output);
  const auto tokens = static_cast<size_t>(plan.output_shape(*plan.find_output(output), 1).back());
  for (size_t i = 0; i < weights.size(); i += tokens) weights[i + i / tokens % tokens] = 1;
  return weights;
}

std::vector<float> random_weights(const Plan& plan, const std::string& output, unsigned seed) {
  std::vector<float> weights = empty_weights(plan, output);
  const auto tokens = static_cast<size_t>(plan.output_shape(*plan.find_output(output), 1).back());
  std::minstd_rand random(seed);
  for (size_t row = 0; row < weights.size(); row += tokens) {
    float sum = 0;
    for (size_t i = row; i < row + tokens; ++i) sum += weights[i] = static_cast<float>(random() % 100);
    for (size_t i = row; i < row + tokens; ++i) weights[i] /= sum;
  }
  return weights;
}

}  // namespace

TEST_CASE("attention that all goes to one token is drawn at its place though windows are shifted") {
  const Plan plan = made_plan(8);
  REQUIRE(attention_blocks(plan) == 3);
  for (const size_t block : {0u, 1u}) {
    const size_t shift = block == 0 ? 0 : 2;
    for (const auto& [y, x] : std::vector<std::pair<size_t, size_t>>{{0, 0}, {3, 5}, {7, 1}}) {
      const std::string output = "attention." + std::to_string(block);
      std::vector<float> weights = identity_weights(plan, output);
      // As torch.roll by -shift and timm's window_partition place it.
      const size_t row = (y + 8 - shift) % 8, column = (x + 8 - shift) % 8;
      const size_t window = row / 4 * 2 + column / 4, token = row % 4 * 4 + column % 4;
      for (size_t line = 0; line < 2 * 16; ++line) {  // heads and queries
        float* given = weights.data() + (window * 2 * 16 + line) * 16;
        std::fill_n(given, 16, 0.0f);
        given[token] = 1;
      }
      const TokenMap map = block_attention(plan, block, weights);
      REQUIRE(map.values.size() == 64);
      CHECK(map.patches == 1);
      for (size_t at = 0; at < 64; ++at) {
        const size_t other_row = (at / 8 + 8 - shift) % 8, other_column = (at % 8 + 8 - shift) % 8;
        const bool same_window = other_row / 4 * 2 + other_column / 4 == window;
        INFO(block << ": " << y << ", " << x << " at " << at);
        CHECK(map.values[at] == Approx(at == y * 8 + x ? 1.0 : same_window ? 0.0 : 1.0 / 16).margin(1e-6));
      }
    }
  }
  CHECK(block_attention(plan, 2, identity_weights(plan, "attention.2")).patches == 2);
}

TEST_CASE("rolled out attention brings a token of the last stage back to its patches") {
  const Plan plan = made_plan(8);
  std::vector<std::vector<float>> weights;
  for (const char* output : {"attention.0", "attention.1"}) weights.push_back(identity_weights(plan, output));
  weights.push_back(empty_weights(plan, "attention.2"));
  for (size_t i = 2 * 4 + 1; i < weights[2].size(); i += 16)
    weights[2][i] = 1;  // all to row 2 and column 1 of 4 x 4
  const TokenMap map =
      rolled_out_attention(plan, std::vector<std::span<const float>>(weights.begin(), weights.end()));
  REQUIRE(map.values.size() == 64);
  for (size_t at = 0; at < 64; ++at) {
    const bool is_there = at / 8 / 2 == 2 && at % 8 / 2 == 1;
    CHECK(map.values[at] == Approx((is_there ? 0.5 + 0.5 / 16 : 0.5 / 16) / 4));
  }
}

TEST_CASE("rolled out attention sums to 1 also where windows and mergings are padded") {
  for (const int64_t side : {8, 7, 5}) {
    const Plan plan = made_plan(side);
    std::vector<std::vector<float>> weights;
    for (unsigned block = 0; block < 3; ++block) {
      weights.push_back(random_weights(plan, "attention." + std::to_string(block), block + 1));
    }
    const TokenMap map =
        rolled_out_attention(plan, std::vector<std::span<const float>>(weights.begin(), weights.end()));
    REQUIRE(map.values.size() == static_cast<size_t>(side * side));
    CHECK(map.patches == 1);
    CHECK(std::accumulate(map.values.begin(), map.values.end(), 0.0) == Approx(1).epsilon(1e-5));
  }
}

TEST_CASE("a block's even attention is even also where windows are padded") {
  const Plan plan = made_plan(7);
  for (const size_t block : {0u, 1u}) {
    const std::vector<float> even(empty_weights(plan, "attention.0").size(), 1.0f / 16);
    for (const float value : block_attention(plan, block, even).values) CHECK(value == Approx(1.0 / 16));
  }
}
