#include "eval/model_bench.h"

#include <cmath>
#include <utility>
#include <vector>

namespace swinzoo::eval {
namespace {

// An input whose values are spread as those of normalised images are: a sine wave of amplitude 2 over all
// elements.
Tensor made_input(const backends::Plan& plan, int64_t batch) {
  Tensor x(DType::kF32, plan.input_shape(batch));
  float phase = 0;
  for (float& value : x.as<float>()) {
    value = 2.0f * std::sin(phase);
    phase = std::fmod(phase + 0.37f, 6.2831853f);
  }
  return x;
}

// What one stream reads and writes.
struct Call {
  Tensor x;
  Tensor result;
  backends::OutputBinding binding;

  Call(const backends::Plan& plan, int64_t batch) : x(made_input(plan, batch)) {
    const char* wanted = plan.find_output("logits") != nullptr ? "logits" : "embedding";
    const backends::Output* output = plan.find_output(wanted);
    result = Tensor(DType::kF32, plan.output_shape(*output, batch));
    binding = {static_cast<size_t>(output - plan.outputs.data()), result.as<float>()};
  }
};

}  // namespace

Samples time_model(const backends::Executable& executable, int64_t batch, int streams,
                   const BenchOptions& options, Clock& clock) {
  std::vector<Call> calls;
  for (int stream = 0; stream < streams; ++stream) calls.emplace_back(executable.plan(), batch);
  const auto run = [&](int stream) {
    const Call& call = calls[static_cast<size_t>(stream)];
    executable.run(call.x.view(), std::span(&call.binding, 1));
  };
  if (streams > 1) return measure_streams(run, streams, options, clock);
  return measure([&] { run(0); }, options, clock);
}

StepSamples time_steps(const backends::Executable& executable, int64_t batch, const BenchOptions& options,
                       Clock& clock) {
  const Call call(executable.plan(), batch);
  std::vector<backends::StepTimes> steps;
  const auto run = [&] {
    executable.run_timed(call.x.view(), std::span(&call.binding, 1), &steps.emplace_back());
  };
  Samples samples = measure(run, options, clock);
  steps.erase(steps.begin(), steps.begin() + samples.warmup);
  return {std::move(samples), std::move(steps)};
}

}  // namespace swinzoo::eval
