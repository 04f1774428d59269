#include "backends/plan_check.h"

#include <catch2/catch.hpp>
#include <functional>

#include "backends/plan_builder.h"
#include "tests/error_code.h"

using namespace swinzoo;
using namespace swinzoo::backends;
using Catch::Matchers::Contains;

namespace {

using Kind = PlanBuilder::AttentionKind;

// A step of each kind, on an image or a clip; with a map that the windows do not divide.
Plan made_plan(Kind kind, bool clip = false) {
  PlanBuilder builder(clip ? Shape{3, 6, 18, 18} : Shape{3, 18, 18});
  ValueId x = builder.patch_embed("patch_embed", builder.input(), 2, 8, 2);
  const Extents window = {clip ? 2 : 1, 4, 4};
  x = builder.attention(
      "blocks.0", x,
      {.kind = kind, .windows = {{clip ? 3 : 1, 9, 9}, window, {0, 2, 2}}, .heads = 2, .qkv_bias = true});
  x = builder.mlp("blocks.0", x, 32, kind != Kind::kSwin);
  x = builder.patch_merging("downsample", x, kind == Kind::kSwinV2);
  x = builder.token_norm("norm", x);
  builder.output("features", x, true);
  x = builder.pool("pool", x);
  builder.output("logits", builder.head("head", x, 5));
  return builder.take();
}

Step& step_of(Plan& plan, const std::string& name) {
  return *std::ranges::find_if(plan.steps, [&](const Step& step) { return step.name == name; });
}

Op& op_of(Plan& plan, const std::string& step, OpKind kind) {
  std::vector<Op>& ops = step_of(plan, step).ops;
  return *std::ranges::find_if(ops, [&](const Op& op) { return op.kind == kind; });
}

Shape& result_of(Plan& plan, const Op& op) { return plan.values[static_cast<size_t>(op.output)].shape; }

}  // namespace

TEST_CASE("plans of every kind of attention are consistent") {
  for (const Kind kind : {Kind::kSwin, Kind::kSwinV2, Kind::kSwinV2Cr})
    CHECK_NOTHROW(check_plan(made_plan(kind)));
  CHECK_NOTHROW(check_plan(made_plan(Kind::kSwin, true)));
}

TEST_CASE("every value of a plan with another shape is found") {
  for (const Kind kind : {Kind::kSwin, Kind::kSwinV2, Kind::kSwinV2Cr}) {
    const Plan good = made_plan(kind);
    for (size_t value = 0; value < good.values.size(); ++value) {
      for (size_t axis = 0; axis < good.values[value].shape.size(); ++axis) {
        INFO("value " << value << ", axis " << axis);
        Plan bad = good;
        ++bad.values[value].shape[axis];
        CHECK(code_of([&] { check_plan(bad); }) == ErrorCode::kCorrupt);
      }
      Plan bad = good;
      bad.values[value].windowed = !bad.values[value].windowed;
      CHECK(code_of([&] { check_plan(bad); }) == ErrorCode::kCorrupt);
    }
  }
}

TEST_CASE("every weight of a plan with another shape is found") {
  for (const Kind kind : {Kind::kSwin, Kind::kSwinV2, Kind::kSwinV2Cr}) {
    const Plan good = made_plan(kind);
    for (size_t weight = 0; weight < good.weights.size(); ++weight) {
      for (size_t axis = 0; axis < good.weights[weight].shape.size(); ++axis) {
        INFO(good.weights[weight].name << ", axis " << axis);
        // The patch that does not divide 18 pixels leaves as many patches.
        if (good.weights[weight].name == "patch_embed.proj.weight" && axis > 1) continue;
        Plan bad = good;
        ++bad.weights[weight].shape[axis];
        CHECK(code_of([&] { check_plan(bad); }) == ErrorCode::kCorrupt);
      }
    }
  }
}

TEST_CASE("what is wrong with a plan is said by step and operation") {
  struct Case {
    std::function<void(Plan&)> damage;
    std::string message;
  };
  const std::vector<Case> cases = {
      {[](Plan& p) { result_of(p, op_of(p, "blocks.0.mlp", OpKind::kGelu)).back() = 31; },
       "step blocks.0.mlp, operation 2 (gelu): its result is [9, 9, 31]; from its inputs and weights follows "
       "[9, 9, 32]"},
      {[](Plan& p) { op_of(p, "blocks.0.attn", OpKind::kScores).heads = 4; },
       "step blocks.0.attn, operation 3 (scores): its result is windows x [9, 2, 16, 16]; from its inputs "
       "and weights "
       "follows windows x [9, 4, 16, 16]"},
      {[](Plan& p) { op_of(p, "blocks.0.attn", OpKind::kAddBias).windows = {}; },
       "operation 5 (add_bias): expected that it has windows"},
      {[](Plan& p) { op_of(p, "blocks.0.mlp", OpKind::kAdd).inputs.pop_back(); },
       "operation 4 (add): expected that it has 2 inputs"},
      {[](Plan& p) { op_of(p, "blocks.0.mlp", OpKind::kGelu).once = true; },
       "operation 2 (gelu): expected that what is done once depends on weights only"},
      {[](Plan& p) { op_of(p, "blocks.0.mlp", OpKind::kGelu).inputs = {1000}; }, "value 1000 is made before"},
      {[](Plan& p) { op_of(p, "blocks.0.mlp", OpKind::kLayerNorm).weights[1] = kNone; },
       "its weight 1 is there"},
      {[](Plan& p) {
         Op& norm = op_of(p, "norm", OpKind::kLayerNorm);
         norm.weights[1] = norm.weights[0];
       },
       "operation 0 (layer_norm): expected that norm.weight is used once"},
      {[](Plan& p) {
         p.weights.push_back({"more", {1}});
       },
       "weight more: expected that an operation uses it"},
      {[](Plan& p) { p.weights[1].name = p.weights[0].name; }, "its name is unique"},
      {[](Plan& p) { step_of(p, "norm").name = "pool"; }, "step pool: expected that its name is unique"},
      {[](Plan& p) { step_of(p, "norm").output = 0; }, "step norm: expected that it makes its output"},
      {[](Plan& p) { step_of(p, "blocks.0.attn").attention = 1; }, "it makes its attention"},
      {[](Plan& p) { p.outputs[0].value = -1; }, "output attention.0: expected that its value is made"},
      {[](Plan& p) { p.outputs[0].channels_first = true; },
       "output attention.0: expected that windows stand in front"},
      {[](Plan& p) {
         p.input = {3, 16, 16};
       },
       "plan: expected that the first value is the input"},
  };
  for (const Case& c : cases) {
    INFO(c.message);
    Plan plan = made_plan(Kind::kSwin);
    c.damage(plan);
    CHECK(code_of([&] { check_plan(plan); }) == ErrorCode::kCorrupt);
    CHECK_THROWS_WITH(check_plan(plan), Contains(c.message));
  }
}
