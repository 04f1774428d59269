#include "zoo/random_weights.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "tests/made_model.h"
#include "zoo/architecture.h"
#include "zoo/catalog.h"

using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

struct Spread {
  double mean = 0, deviation = 0;
};

Spread spread_of(std::span<const float> values) {
  Spread spread;
  const auto count = static_cast<double>(values.size());
  for (const float value : values) spread.mean += value / count;
  for (const float value : values) spread.deviation += (value - spread.mean) * (value - spread.mean) / count;
  spread.deviation = std::sqrt(spread.deviation);
  return spread;
}

// The weight of that name.
std::span<const float> weight(const backends::Plan& plan, const std::vector<TensorView>& views,
                              std::string_view name) {
  for (size_t i = 0; i < views.size(); ++i) {
    if (plan.weights[i].name == name) return views[i].as<float>();
  }
  FAIL(name);
  return {};
}

}  // namespace

TEST_CASE("random weights have every shape and the sizes of their kinds") {
  const backends::Plan plan =
      build_plan(*Catalog::built_in().lookup_architecture("swin_tiny_patch4_window7_224"));
  const RandomWeights weights(plan, 1);
  const auto views = weights.views();
  REQUIRE(views.size() == plan.weights.size());
  for (size_t i = 0; i < views.size(); ++i) {
    INFO(plan.weights[i].name);
    CHECK(views[i].shape == plan.weights[i].shape);
    CHECK(spread_of(views[i].as<float>()).deviation > 0);
  }
  const auto check = [&](const char* name, double mean, double deviation) {
    INFO(name);
    const Spread spread = spread_of(weight(plan, views, name));
    CHECK(spread.mean == Approx(mean).margin(0.2 * deviation));
    CHECK(spread.deviation == Approx(deviation).epsilon(0.1));
  };
  check("patch_embed.proj.weight", 0, 1 / std::sqrt(48.0));
  check("layers.0.blocks.0.attn.qkv.weight", 0, 1 / std::sqrt(96.0));
  check("layers.3.blocks.1.mlp.fc2.weight", 0, 1 / std::sqrt(3072.0));
  check("layers.3.blocks.1.mlp.fc1.bias", 0, 0.1);
  check("layers.3.blocks.1.norm1.weight", 1, 0.1);
  check("layers.3.blocks.1.norm1.bias", 0, 0.1);
  check("layers.3.blocks.1.attn.relative_position_bias_table", 0, 0.5);
}

TEST_CASE("one logit scale of random weights is beyond the bound") {
  const backends::Plan plan = build_plan(*Catalog::built_in().lookup_architecture("swinv2_tiny_window8_256"));
  const RandomWeights weights(plan, 1);
  const auto views = weights.views();
  CHECK(weight(plan, views, "layers.3.blocks.1.attn.logit_scale").front() == 5);
  for (const float scale : weight(plan, views, "layers.3.blocks.0.attn.logit_scale"))
    CHECK(scale < std::log(100.0f));
}

TEST_CASE("random weights follow from their seed") {
  const backends::Plan plan = build_plan(made_spec({}));
  const RandomWeights a(plan, 1), b(plan, 1), c(plan, 2);
  const auto first = [](const RandomWeights& weights) {
    const auto values = weights.views().front().as<float>();
    return std::vector<float>(values.begin(), values.end());
  };
  CHECK(first(a) == first(b));
  CHECK(first(a) != first(c));
  // Of std::mt19937(1), whose first number the standard fixes.
  CHECK(first(a).front() ==
        static_cast<float>(std::sqrt(3.0 / 48) * (static_cast<double>(1791095845) * 0x1p-31 - 1)));
}
