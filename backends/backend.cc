#include "backends/backend.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>

#include "backends/cpu/cpu_backend.h"
#include "backends/reference/reference_backend.h"
#include "formats/error.h"

namespace swinzoo::backends {

std::string_view name_of(Precision precision) { return precision == Precision::kBf16 ? "bf16" : "fp32"; }

std::span<const Backend> backends() {
  static constexpr std::array<Backend, 2> kBackends = {{
      {"cpu", "fused steps over packed weights, with kernels for the CPU's instruction set: fast", &load_cpu},
      {"reference", "plain loops that accumulate in double: the oracle, slow", &load_reference},
  }};
  return kBackends;
}

const Backend& find_backend(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Backend& backend : backends()) {
    if (backend.name == name) return backend;
    names.push_back(backend.name);
  }
  fail(ErrorCode::kUsage, "there is no backend '{}'; there are: {}", name, fmt::join(names, ", "));
}

void fail_no_output(const Plan& plan, std::string_view name) {
  std::vector<std::string_view> there;
  for (const Output& output : plan.outputs) there.push_back(output.name);
  fail(ErrorCode::kUsage, "the model has no output '{}'; it has: {}", name, fmt::join(there, ", "));
}

void require_input(const Plan& plan, const TensorView& x) {
  if (x.shape.empty() || Shape(x.shape.begin() + 1, x.shape.end()) != plan.input || x.shape[0] < 1) {
    fail(ErrorCode::kUsage, "the input has shape {}, but the model takes [batch, {}]", to_string(x.shape),
         fmt::join(plan.input, ", "));
  }
}

std::vector<std::pair<std::string, Tensor>> run_outputs(const Executable& executable, const TensorView& x,
                                                        std::span<const std::string> names) {
  const Plan& plan = executable.plan();
  require_input(plan, x);
  std::vector<std::pair<std::string, Tensor>> results;
  std::vector<OutputBinding> bindings;
  for (const std::string& name : names) {
    const Output* output = plan.find_output(name);
    if (output == nullptr) fail_no_output(plan, name);
    Tensor tensor(DType::kF32, plan.output_shape(*output, x.shape[0]));
    bindings.push_back({static_cast<size_t>(output - plan.outputs.data()), tensor.as<float>()});
    results.emplace_back(name, std::move(tensor));
  }
  executable.run(x, bindings);
  return results;
}

void write_output(const Plan& plan, const OutputBinding& binding, int64_t batch, const float* value) {
  const Output& output = plan.outputs[binding.output];
  if (!output.channels_first) {
    std::copy_n(value, binding.data.size(), binding.data.begin());
    return;
  }
  const int64_t channels = plan.value(output.value).shape.back();
  const int64_t tokens = static_cast<int64_t>(binding.data.size()) / (batch * channels);
  tbb::parallel_for(int64_t{0}, batch * channels, [&](int64_t i) {
    const float* from = value + i / channels * tokens * channels + i % channels;
    float* to = binding.data.data() + i * tokens;
    for (int64_t token = 0; token < tokens; ++token) to[token] = from[token * channels];
  });
}

void report_written(const Plan& plan, const Step& step, std::span<const OutputBinding> outputs) {
  for (const OutputBinding& binding : outputs) {
    const ValueId value = plan.outputs[binding.output].value;
    if (binding.written && (value == step.output || value == step.attention)) binding.written();
  }
}

size_t last_step_needed(const Plan& plan, std::span<const OutputBinding> outputs) {
  size_t last = 0;
  for (const OutputBinding& binding : outputs) {
    const ValueId value = plan.outputs[binding.output].value;
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      if (plan.steps[i].output == value || plan.steps[i].attention == value) last = std::max(last, i);
    }
  }
  return last;
}

}  // namespace swinzoo::backends
