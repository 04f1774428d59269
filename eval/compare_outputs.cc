#include "eval/compare_outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "formats/error.h"

namespace swinzoo::eval {
namespace {

using backends::Executable;
using Clock = std::chrono::steady_clock;
using backends::Plan;

std::string output_name(const backends::Step& step) { return "step." + step.name; }
std::string attention_name(const backends::Step& step) { return "step." + step.name + ".attention"; }

// Cuts `names` where the outputs before would hold more than most_bytes.
std::vector<std::span<const std::string>> chunks_of(const Plan& plan, std::span<const std::string> names,
                                                    int64_t batch, int64_t most_bytes) {
  std::vector<std::span<const std::string>> chunks;
  size_t begin = 0;
  int64_t bytes = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    const backends::Value& value = plan.value(plan.find_output(names[i])->value);
    const int64_t more = element_count(batched_shape(value, batch)) * static_cast<int64_t>(sizeof(float));
    if (i > begin && bytes + more > most_bytes) {
      chunks.push_back(names.subspan(begin, i - begin));
      begin = i;
      bytes = 0;
    }
    bytes += more;
  }
  if (begin < names.size()) chunks.push_back(names.subspan(begin));
  return chunks;
}

// The plan's outputs (indexes), step by step in the order in which they are computed.
std::vector<std::vector<size_t>> outputs_by_step(const Plan& plan) {
  std::vector<std::vector<size_t>> steps;
  for (const backends::Step& step : plan.steps) {
    std::vector<size_t>& mine = steps.emplace_back();
    for (size_t i = 0; i < plan.outputs.size(); ++i) {
      const backends::ValueId value = plan.outputs[i].value;
      if (value == step.output || value == step.attention) mine.push_back(i);
    }
  }
  return steps;
}

void require_same_steps(const Plan& expected, const Plan& found) {
  const auto differ = [](const std::string& what, const std::string& a, const std::string& b) {
    fail(ErrorCode::kCorrupt, "the models can't be compared step by step: {}: expected {}, found {}", what, a,
         b);
  };
  if (expected.input != found.input) differ("input", to_string(expected.input), to_string(found.input));
  for (size_t i = 0; i < std::min(expected.steps.size(), found.steps.size()); ++i) {
    const backends::Step &a = expected.steps[i], &b = found.steps[i];
    if (a.name != b.name) differ(fmt::format("step {}", i), a.name, b.name);
    const auto compare = [&](backends::ValueId x, backends::ValueId y) {
      const Shape shape_a = x == backends::kNone ? Shape() : expected.value(x).shape;
      const Shape shape_b = y == backends::kNone ? Shape() : found.value(y).shape;
      if (shape_a != shape_b) differ(a.name, to_string(shape_a), to_string(shape_b));
    };
    compare(a.output, b.output);
    compare(a.attention, b.attention);
  }
  if (expected.steps.size() != found.steps.size()) {
    differ("steps", std::to_string(expected.steps.size()), std::to_string(found.steps.size()));
  }
}

int64_t batch_of(const TensorView& x) { return x.shape.empty() ? 1 : std::max<int64_t>(x.shape[0], 1); }

// The number in "PREFIX.7"; -1 where the name is another.
int64_t number_after(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix) || name.size() == prefix.size() || name.size() > prefix.size() + 4) return -1;
  int64_t number = 0;
  for (const char c : name.substr(prefix.size())) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

// The output of the plan that a tensor of a golden case is compared with; empty where there is none.
std::string output_for(const Plan& plan, const std::string& name) {
  const auto if_there = [&](std::string output) {
    return plan.find_output(output) == nullptr ? std::string() : std::move(output);
  };
  const int64_t state = number_after("hidden_state.", name);
  if (state < 0) return if_there(name);
  if (state == 0) return output_name(plan.steps.front());
  const std::string merged = if_there(fmt::format("step.layers.{}.downsample", state));
  return merged.empty() ? if_there(fmt::format("feature_map.{}", state - 1)) : merged;
}

bool is_output_of_some_model(std::string_view name) {
  static constexpr std::array<std::string_view, 3> kNames = {"logits", "embedding", "features"};
  return std::ranges::find(kNames, name) != kNames.end() || number_after("feature_map.", name) >= 0 ||
         number_after("attention.", name) >= 0 || number_after("hidden_state.", name) >= 0;
}

// A golden tensor laid out as the model lays it out, [batch, .., channels]; nothing where it can't be.
std::optional<Tensor> laid_out_as(const Shape& shape, const TensorView& expected, bool channels_first) {
  Tensor values = to_f32(expected);
  if (channels_first && values.shape().size() == 4) {
    const Shape& from = values.shape();
    std::vector<int64_t> strides = row_major_strides(from);
    std::rotate(strides.begin() + 1, strides.begin() + 2, strides.end());
    values = gathered(DType::kF32, {from[0], from[2], from[3], from[1]}, strides, values.bytes());
  }
  if (values.shape() == shape) return values;
  const bool tokens_in_a_row = values.shape().size() == 3 && shape.size() > 3 &&
                               values.shape().front() == shape.front() &&
                               values.shape().back() == shape.back() && values.size() == element_count(shape);
  return tokens_in_a_row ? std::optional(std::move(values)) : std::nullopt;
}

GoldenOutput compare_output(const Checkpoint& expected, const std::string& name, const Tensor& found) {
  GoldenOutput result{name, {}, {}};
  Tensor scratch;
  const auto index = static_cast<size_t>(expected.find(name));
  const auto values =
      laid_out_as(found.shape(), expected.read(index, scratch), name.starts_with("hidden_state."));
  if (values) {
    result.error = error_of(values->as<float>(), found.as<float>());
  } else {
    result.mismatch = fmt::format("expected {}, found {}", to_string(expected.tensors()[index].shape),
                                  to_string(found.shape()));
  }
  return result;
}

}  // namespace

OutputError error_of(std::span<const float> expected, std::span<const float> found) {
  OutputError error;
  for (size_t i = 0; i < expected.size(); ++i) {
    const bool finite = std::isfinite(expected[i]);
    if (finite) {
      error.abs_max = std::max(error.abs_max, std::abs(double{expected[i]}));
    } else {
      ++error.not_finite;
    }
    if (expected[i] == found[i] || (std::isnan(expected[i]) && std::isnan(found[i]))) continue;
    const double difference = finite && std::isfinite(found[i])
                                  ? std::abs(double{expected[i]} - double{found[i]})
                                  : std::numeric_limits<double>::infinity();
    error.max_abs = std::max(error.max_abs, difference);
  }
  return error;
}

Plan with_step_outputs(Plan plan) {
  for (const backends::Step& step : plan.steps) {
    if (step.attention != backends::kNone) {
      plan.outputs.push_back({.name = attention_name(step), .value = step.attention});
    }
    plan.outputs.push_back({.name = output_name(step), .value = step.output});
  }
  return plan;
}

OutputComparison compare_outputs(const Executable& expected, const Executable& found, const TensorView& x,
                                 int64_t most_bytes) {
  const Plan& plan = expected.plan();
  backends::require_input(plan, x);
  const auto size_of_output = [&](size_t output) {
    return static_cast<size_t>(element_count(plan.output_shape(plan.outputs[output], batch_of(x))));
  };
  const auto steps = outputs_by_step(plan);
  std::vector<std::string> names;
  size_t most_elements = 0;
  for (const auto& outputs : steps) {
    size_t elements = 0;
    for (const size_t output : outputs) {
      names.push_back(plan.outputs[output].name);
      elements += size_of_output(output);
    }
    most_elements = std::max(most_elements, elements);
  }
  const auto chunks = chunks_of(found.plan(), names, batch_of(x), most_bytes);
  auto chunk = chunks.begin();
  std::vector<std::pair<std::string, Tensor>> given;  // what is left of the chunk that was run last
  OutputComparison comparison;
  Clock::duration comparing{0};                                       // and running `found`
  Tensor wanted(DType::kF32, {static_cast<int64_t>(most_elements)});  // of one step after the other
  std::vector<backends::OutputBinding> bindings;
  const auto compare_next = [&](std::span<const float> values) {
    const auto start = Clock::now();
    if (given.empty()) {
      given = backends::run_outputs(found, x, *chunk++);
      std::ranges::reverse(given);
    }
    const auto& [name, found_values] = given.back();
    comparison.outputs.push_back({name, error_of(values, found_values.as<float>())});
    given.pop_back();
    comparing += Clock::now() - start;
  };
  for (const auto& outputs : steps) {
    size_t begin = 0;
    for (const size_t output : outputs) {
      const std::span<float> data = wanted.as<float>().subspan(begin, size_of_output(output));
      bindings.push_back({output, data, [&compare_next, data] { compare_next(data); }});
      begin += data.size();
    }
  }
  const auto start = Clock::now();
  expected.run(x, bindings);
  comparison.expected_seconds = std::chrono::duration<double>(Clock::now() - start - comparing).count();
  return comparison;
}

std::vector<StepError> compare_steps(const Executable& expected, const Executable& found, const TensorView& x,
                                     int64_t most_bytes) {
  const Plan& plan = expected.plan();
  require_same_steps(plan, found.plan());
  std::vector<std::string> names;
  std::vector<StepError> errors;
  for (const backends::Step& step : plan.steps) {
    if (step.attention != backends::kNone) {
      names.push_back(attention_name(step));
      errors.push_back({step.name, true, {}});
    }
    names.push_back(output_name(step));
    errors.push_back({step.name, false, {}});
  }
  auto error = errors.begin();
  for (const auto chunk : chunks_of(plan, names, batch_of(x), most_bytes)) {
    const auto wanted = backends::run_outputs(expected, x, chunk);
    const auto given = backends::run_outputs(found, x, chunk);
    for (size_t i = 0; i < chunk.size(); ++i, ++error) {
      error->error = error_of(wanted[i].second.as<float>(), given[i].second.as<float>());
    }
  }
  return errors;
}

const StepError* first_divergence(std::span<const StepError> steps, double tolerance) {
  const auto found =
      std::ranges::find_if(steps, [&](const StepError& s) { return s.error.relative() > tolerance; });
  return found == steps.end() ? nullptr : &*found;
}

GoldenComparison compare_golden(const Executable& executable, const TensorView& x, const Checkpoint& expected,
                                int64_t most_bytes) {
  const Plan& plan = executable.plan();
  GoldenComparison comparison;
  std::vector<std::string> names, outputs;
  for (const TensorInfo& tensor : expected.tensors()) {
    std::string output = output_for(plan, tensor.name);
    if (!output.empty()) {
      names.push_back(tensor.name);
      outputs.push_back(std::move(output));
    } else if (is_output_of_some_model(tensor.name)) {
      comparison.outputs.push_back({tensor.name, {}, "the model has no such output"});
    } else {
      comparison.not_compared.push_back(tensor.name);
    }
  }
  auto name = names.begin();
  for (const auto chunk : chunks_of(plan, outputs, batch_of(x), most_bytes)) {
    for (const auto& [output, found] : backends::run_outputs(executable, x, chunk)) {
      comparison.outputs.push_back(compare_output(expected, *name++, found));
    }
  }
  return comparison;
}

}  // namespace swinzoo::eval
