#include "eval/compare_precision.h"

#include <catch2/catch.hpp>
#include <functional>

#include "eval/input_tensor.h"
#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/made_model.h"
#include "zoo/architecture.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

// Fills each output with what a function of its name, its element and the input's first value says.
class MadeUp : public backends::Executable {
 public:
  using Value = std::function<float(const std::string& output, size_t element, float input)>;

  MadeUp(backends::Plan plan, Value value) : Executable(std::move(plan)), value_(std::move(value)) {}

  void run_timed(const TensorView& x, std::span<const backends::OutputBinding> outputs,
                 backends::StepTimes*) const override {
    for (const backends::OutputBinding& binding : outputs) {
      const std::string& name = plan().outputs[binding.output].name;
      for (size_t i = 0; i < binding.data.size(); ++i) binding.data[i] = value_(name, i, x.as<float>()[0]);
    }
  }
  std::string_view isa() const override { return "none"; }

 private:
  Value value_;
};

backends::Plan plan_of(int64_t classes) { return zoo::build_plan(made_spec({.num_classes = classes})); }

// Inputs whose first values are as given.
Tensor inputs(const backends::Plan& plan, const std::vector<float>& firsts) {
  Tensor x = seeded_input(plan.input_shape(static_cast<int64_t>(firsts.size())), 1);
  const auto values = x.as<float>();
  for (size_t i = 0; i < firsts.size(); ++i) values[i * values.size() / firsts.size()] = firsts[i];
  return x;
}

}  // namespace

TEST_CASE("a lower precision's error is that of the worst input, and flips are counted") {
  const backends::Plan plan = plan_of(5);
  // Logits 0 to 4, and half of them where the input is over 2, so that their abs max differs.
  const MadeUp fp32(plan, [](const std::string&, size_t i, float x) {
    return static_cast<float>(i % 5) * (x > 2 ? 0.5f : 1.0f);
  });
  const MadeUp lower(plan, [](const std::string& output, size_t i, float x) {
    const float right = static_cast<float>(i % 5) * (x > 2 ? 0.5f : 1.0f);
    if (output == "logits") return i == 0 ? x : right;
    return output == "features" && i == 7 ? right + 0.25f : right;
  });
  PrecisionComparison comparison;
  compare_precision(fp32, lower, inputs(plan, {0.5f, 3.0f, 1.0f}).view(), comparison);
  CHECK(comparison.inputs == 3);
  CHECK(comparison.flipped == 1);  // 3 is above the second's best, 2
  REQUIRE(comparison.outputs.size() == 3);
  CHECK(comparison.judged().output == "logits");
  CHECK(comparison.judged().error.max_abs == 3);
  CHECK(comparison.judged().error.abs_max == 2);
  CHECK(comparison.outputs[1].output == "embedding");
  CHECK(comparison.outputs[1].error.max_abs == 0);
  CHECK(comparison.outputs[2].output == "features");
  CHECK(comparison.outputs[2].error.relative() == 0.125);

  compare_precision(fp32, lower, inputs(plan, {8.0f}).view(), comparison);
  CHECK(comparison.inputs == 4);
  CHECK(comparison.flipped == 2);
  CHECK(comparison.judged().error.relative() == 4);
  compare_precision(fp32, lower, inputs(plan, {0}).view(), comparison);
  CHECK(comparison.inputs == 5);
  CHECK(comparison.flipped == 2);
  CHECK(comparison.judged().error.relative() == 4);
}

TEST_CASE("without a head the embedding is judged and nothing can flip") {
  const backends::Plan plan = plan_of(0);
  const MadeUp fp32(plan, [](const std::string&, size_t, float) { return 1.0f; });
  PrecisionComparison comparison;
  compare_precision(fp32, fp32, inputs(plan, {1}).view(), comparison);
  CHECK(comparison.judged().output == "embedding");
  CHECK(comparison.judged().error.relative() == 0);
  CHECK_FALSE(comparison.flipped.has_value());
}

TEST_CASE("an input of another shape is a usage error") {
  const backends::Plan plan = plan_of(5);
  const MadeUp fp32(plan, [](const std::string&, size_t, float) { return 1.0f; });
  PrecisionComparison comparison;
  const Tensor x = seeded_input({1, 3, 16, 16}, 1);
  CHECK(code_of([&] { compare_precision(fp32, fp32, x.view(), comparison); }) == ErrorCode::kUsage);
}
