#include "eval/compare_outputs.h"

#include <catch2/catch.hpp>
#include <limits>

#include "eval/input_tensor.h"
#include "formats/error.h"
#include "formats/safetensors.h"
#include "tests/backends/made_plan.h"
#include "tests/error_code.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using backends::MadeWeights;
using backends::Plan;
using backends::PlanBuilder;
namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Two stages, with a shifted attention in each.
Plan made_plan(int64_t hidden = 32, int64_t classes = 5) {
  PlanBuilder builder({3, 16, 16});
  backends::ValueId x = builder.patch_embed("patch_embed", builder.input(), 2, 8);
  x = builder.attention("layers.0.blocks.0", x,
                        {.windows = {{1, 8, 8}, {1, 4, 4}, {0, 2, 2}}, .heads = 2, .qkv_bias = true});
  builder.output("feature_map.0", x);
  x = builder.patch_merging("layers.1.downsample", x);
  x = builder.attention("layers.1.blocks.0", x,
                        {.windows = {{1, 4, 4}, {1, 4, 4}, {0, 0, 0}}, .heads = 4, .qkv_bias = true});
  x = builder.mlp("layers.1.blocks.0", x, hidden);
  builder.output("feature_map.1", x);
  x = builder.pool("pool", x);
  builder.output("embedding", x);
  builder.output("logits", builder.head("head.fc", x, classes));
  return builder.take();
}

std::unique_ptr<backends::Executable> load(const Plan& plan, const std::vector<TensorView>& weights,
                                           const char* backend = "cpu") {
  return backends::find_backend(backend).load(with_step_outputs(plan), weights, {2});
}

const Tensor& x() {
  static const Tensor kX = seeded_input({2, 3, 16, 16}, 1);
  return kX;
}

// A golden file with a model's own outputs under the names wanted.
struct Golden {
  TemporaryFolder folder;
  std::vector<std::pair<std::string, Tensor>> tensors;

  void add(const std::string& name, Tensor tensor) { tensors.emplace_back(name, std::move(tensor)); }
  std::unique_ptr<Checkpoint> open() const {
    std::vector<TensorInfo> infos;
    for (const auto& [name, tensor] : tensors) infos.push_back({name, DType::kF32, tensor.shape()});
    SafetensorsWriter writer(folder.path() / "expected.safetensors", infos, {});
    for (const auto& [name, tensor] : tensors) writer.write(tensor.view());
    writer.commit();
    return open_checkpoint(folder.path() / "expected.safetensors");
  }
};

Tensor output_of(const backends::Executable& executable, const std::string& name) {
  return std::move(backends::run_outputs(executable, x().view(), std::vector{name}).front().second);
}

// [batch, H, W, channels] -> [batch, channels, H, W]
Tensor channels_first(const Tensor& from) {
  const Shape& shape = from.shape();
  const auto strides = row_major_strides(shape);
  return gathered(DType::kF32, {shape[0], shape[3], shape[1], shape[2]},
                  {strides[0], strides[3], strides[1], strides[2]}, from.bytes());
}

}  // namespace

TEST_CASE("errors are shares of what is expected and NaN agrees with NaN alone") {
  const auto relative = [](std::vector<float> expected, std::vector<float> found) {
    return error_of(expected, found).relative();
  };
  CHECK(relative({1, -4}, {1, -3}) == 0.25);
  CHECK(relative({kNan, kInfinity, 2}, {kNan, kInfinity, 2}) == 0);
  CHECK(relative({0, 0}, {-0.0f, 0}) == 0);
  CHECK(std::isinf(relative({0, 0}, {0, 1e-20f})));
  CHECK(std::isinf(relative({1}, {kNan})));
  CHECK(std::isinf(relative({kNan, 1}, {1, 1})));
  CHECK(std::isinf(relative({kInfinity, 1}, {-kInfinity, 1})));
  CHECK(error_of(std::vector{kNan, kInfinity, 2.0f}, std::vector{kNan, kInfinity, 2.0f}).not_finite == 2);
}

TEST_CASE(
    "every output of two backends is compared in a run of the expected one however little memory there is") {
  const Plan plan = made_plan();
  const MadeWeights weights(plan);
  const auto on = [&](const char* backend) {
    return backends::find_backend(backend).load(plan, weights.views, {2});
  };
  const auto cpu = on("cpu"), reference = on("reference");
  const Strings names = {"attention.0",   "feature_map.0", "attention.1",
                         "feature_map.1", "embedding",     "logits"};
  for (const int64_t most_bytes : {int64_t{1}, int64_t{40000}, kMostBytes}) {
    for (const auto& [expected, found] : {std::pair{&*reference, &*cpu}, std::pair{&*cpu, &*reference}}) {
      const OutputComparison comparison = compare_outputs(*expected, *found, x().view(), most_bytes);
      Strings compared;
      for (const NamedError& output : comparison.outputs) {
        compared.push_back(output.output);
        const Tensor a = output_of(*expected, output.output), b = output_of(*found, output.output);
        const OutputError error = error_of(a.as<float>(), b.as<float>());
        CHECK(output.error.max_abs == error.max_abs);
        CHECK(output.error.abs_max == error.abs_max);
        CHECK(output.error.relative() < 1e-5);
      }
      CHECK(compared == names);
      CHECK(comparison.expected_seconds > 0);
    }
  }
}

TEST_CASE("both backends agree in every step and every step is compared") {
  const Plan plan = made_plan();
  const MadeWeights weights(plan);
  const auto steps =
      compare_steps(*load(plan, weights.views, "reference"), *load(plan, weights.views), x().view());
  Strings names;
  for (const StepError& step : steps) {
    names.push_back(step.step + (step.attention ? " attention" : ""));
    CHECK(step.error.relative() < 1e-5);
    CHECK(step.error.abs_max > 0);
  }
  CHECK(names == Strings{"patch_embed", "layers.0.blocks.0.attn attention", "layers.0.blocks.0.attn",
                         "layers.1.downsample", "layers.1.blocks.0.attn attention", "layers.1.blocks.0.attn",
                         "layers.1.blocks.0.mlp", "pool", "head.fc"});
  CHECK(first_divergence(steps, 1e-4) == nullptr);
}

TEST_CASE("the step that owns a changed weight is the first to diverge however memory is divided") {
  const Plan plan = made_plan();
  for (size_t changed = 0; changed < plan.weights.size(); ++changed) {
    const std::string& name = plan.weights[changed].name;
    INFO(name);
    const MadeWeights good(plan);
    MadeWeights bad(plan);
    for (float& value : bad.tensors[changed].as<float>()) value = 2 * value + 1;
    const auto expected = load(plan, good.views), found = load(plan, bad.views);
    const auto steps = compare_steps(*expected, *found, x().view());
    const StepError* first = first_divergence(steps, 1e-4);
    REQUIRE(first != nullptr);
    const bool owns = std::ranges::any_of(plan.steps, [&](const backends::Step& step) {
      return step.name == first->step && std::ranges::any_of(step.ops, [&](const backends::Op& op) {
               return std::ranges::count(op.weights, static_cast<int>(changed)) > 0;
             });
    });
    CHECK(owns);
    const auto one_by_one = compare_steps(*expected, *found, x().view(), 1);
    REQUIRE(one_by_one.size() == steps.size());
    for (size_t i = 0; i < steps.size(); ++i) {
      CHECK(one_by_one[i].error.max_abs == steps[i].error.max_abs);
      CHECK(one_by_one[i].error.abs_max == steps[i].error.abs_max);
    }
  }
}

TEST_CASE("models whose steps differ can't be compared step by step") {
  const Plan a = made_plan(), b = made_plan(32, 7);
  const MadeWeights weights_a(a), weights_b(b);
  const auto compare = [&] {
    compare_steps(*load(a, weights_a.views), *load(b, weights_b.views), x().view());
  };
  CHECK(code_of(compare) == ErrorCode::kCorrupt);
  CHECK_THROWS_WITH(compare(), Catch::Contains("head.fc: expected [5], found [7]"));
}

TEST_CASE("golden tensors are compared in whatever layout their reference has them") {
  const Plan plan = made_plan();
  const MadeWeights weights(plan);
  const auto executable = load(plan, weights.views);
  Golden golden;
  Tensor tokens = output_of(*executable, "feature_map.1");
  tokens.reshape({2, 16, 16});
  golden.add("attention.1", output_of(*executable, "attention.1"));
  golden.add("feature_map.1", std::move(tokens));
  golden.add("hidden_state.0", channels_first(output_of(*executable, "step.patch_embed")));
  golden.add("hidden_state.1", channels_first(output_of(*executable, "step.layers.1.downsample")));
  golden.add("hidden_state.2", channels_first(output_of(*executable, "feature_map.1")));
  golden.add("logits", output_of(*executable, "logits"));
  golden.add("loss", Tensor(DType::kF32, {1}));
  for (const int64_t most_bytes : {int64_t{1}, kMostBytes}) {
    const GoldenComparison comparison = compare_golden(*executable, x().view(), *golden.open(), most_bytes);
    CHECK(comparison.not_compared == Strings{"loss"});
    REQUIRE(comparison.outputs.size() == 6);
    for (const GoldenOutput& output : comparison.outputs) {
      INFO(output.name << " " << output.mismatch);
      CHECK(output.mismatch.empty());
      CHECK(output.error.max_abs == 0);
      CHECK(output.error.abs_max > 0);
    }
  }
}

TEST_CASE("golden tensors that differ or that the model can't give are told") {
  const Plan plan = made_plan();
  const MadeWeights weights(plan);
  const auto executable = load(plan, weights.views);
  Golden golden;
  Tensor logits = output_of(*executable, "logits");
  logits.as<float>()[3] += 1;
  golden.add("logits", std::move(logits));
  golden.add("embedding", Tensor(DType::kF32, {2, 3}));
  golden.add("feature_map.2", Tensor(DType::kF32, {1}));
  const GoldenComparison comparison = compare_golden(*executable, x().view(), *golden.open());
  REQUIRE(comparison.outputs.size() == 3);
  const auto find = [&](const char* name) {
    return *std::ranges::find(comparison.outputs, name, &GoldenOutput::name);
  };
  CHECK(find("logits").error.max_abs == Approx(1));
  CHECK(find("embedding").mismatch == "expected [2, 3], found [2, 16]");
  CHECK(find("feature_map.2").mismatch == "the model has no such output");
}

TEST_CASE("seeded inputs are the same everywhere and spread over their range") {
  const Tensor first = seeded_input({1, 3, 64, 64}, 7);
  CHECK(first.shape() == Shape{1, 3, 64, 64});
  const Tensor again = seeded_input({1, 3, 64, 64}, 7);
  CHECK(std::ranges::equal(first.bytes(), again.bytes()));
  const Tensor other = seeded_input({1, 3, 64, 64}, 8);
  CHECK_FALSE(std::ranges::equal(first.bytes(), other.bytes()));
  const auto values = first.as<float>();
  const auto [least, most] = std::ranges::minmax(values);
  CHECK(least >= -2);
  CHECK(least < -1.99);
  CHECK(most < 2);
  CHECK(most > 1.99);
  CHECK(seeded_input({1}, 5489).as<float>()[0] == Approx(3499211612.0 / 4294967296.0 * 4 - 2));
}

TEST_CASE("an input file must hold a tensor x") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  SafetensorsWriter writer(path, {{"y", DType::kF32, {1}}}, {});
  writer.write(seeded_input({1}, 1).view());
  writer.commit();
  CHECK(code_of([&] { read_input_tensor(path); }) == ErrorCode::kNotFound);
  CHECK(code_of([&] { read_input_tensor(folder.path() / "none.npy"); }) == ErrorCode::kNotFound);
}
