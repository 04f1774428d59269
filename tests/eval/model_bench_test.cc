#include "eval/model_bench.h"

#include <catch2/catch.hpp>
#include <functional>

#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/made_model.h"
#include "zoo/architecture.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

// A model whose logits a test makes up, of the number of the call.
class MadeExecutable : public backends::Executable {
 public:
  explicit MadeExecutable(std::function<float(int call)> logit)
      : Executable(zoo::build_plan(made_spec({}))), logit_(std::move(logit)) {}

  void run_timed(const TensorView& x, std::span<const backends::OutputBinding> outputs,
                 backends::StepTimes* times) const override {
    if (times != nullptr) times->steps.assign(plan().steps.size(), {});
    const auto values = x.as<float>();
    const size_t size = values.size() / static_cast<size_t>(x.shape[0]);
    const size_t classes = outputs[0].data.size() / static_cast<size_t>(x.shape[0]);
    for (size_t i = 0; i < outputs[0].data.size(); ++i) {
      outputs[0].data[i] = values[i / classes * size + 1] + logit_(calls_);
    }
    ++calls_;
  }

  std::string_view isa() const override { return "none"; }

 private:
  std::function<float(int)> logit_;
  mutable int calls_ = 0;
};

BenchOptions five_calls() {
  BenchOptions options;
  options.warmup = 1;
  options.warmup_seconds = 0;
  options.iterations = 5;
  return options;
}

}  // namespace

TEST_CASE("a model that changes its answer while it is timed is caught, whichever call it is") {
  SteadyClock clock;
  for (int wrong_call = 1; wrong_call < 6; ++wrong_call) {
    for (const auto& time : {time_model, time_steps}) {
      const MadeExecutable executable([&](int call) { return call == wrong_call ? 1.0f : 0.0f; });
      OutputCheck check;
      const ModelCalls calls{.executable = executable, .check = check};
      try {
        time(calls, five_calls(), clock);
        FAIL("not caught");
      } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::kFailed);
        CHECK_THAT(error.what(), Catch::Contains("wrong output while timing: of input 0, value 0"));
      }
    }
  }
}

TEST_CASE("the digest is of the first call's bits, and the first images of each batch are the same") {
  SteadyClock clock;
  const MadeExecutable executable([](int) { return 0.5f; });
  OutputCheck check;
  ModelCalls calls{.executable = executable, .check = check};
  const ModelSamples one = time_model(calls, five_calls(), clock);
  CHECK(one.samples.ms.size() == 5);
  CHECK(one.output_digest.size() == 64);
  CHECK(time_model(calls, five_calls(), clock).output_digest == one.output_digest);
  calls.batch = 3;
  CHECK(time_model(calls, five_calls(), clock).output_digest != one.output_digest);
  CHECK(time_steps(calls, five_calls(), clock).steps.size() == 5);
}

TEST_CASE("a wrong answer of another batch is caught too") {
  OutputCheck check;
  const std::vector<int64_t> two = {0, 1}, last = {1};
  const std::vector<float> results = {1, 2, 3, 4}, second = {3, 4}, wrong = {3, 5};
  check.check(two, results);
  check.check(last, second);
  CHECK(code_of([&] { check.check(last, wrong); }) == ErrorCode::kFailed);
  const std::vector<float> zeros = {0, 0}, negative = {0, -0.0f};
  const std::vector<int64_t> ninth = {9};
  check.check(ninth, zeros);
  CHECK(code_of([&] { check.check(ninth, negative); }) == ErrorCode::kFailed);  // bits, not values
}
