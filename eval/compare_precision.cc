#include "eval/compare_precision.h"

#include <algorithm>
#include <string>
#include <utility>

namespace swinzoo::eval {
namespace {

int64_t best_class(const Tensor& logits) {
  const auto values = logits.as<float>();
  return std::ranges::max_element(values) - values.begin();
}

}  // namespace

void compare_precision(const backends::Executable& fp32, const backends::Executable& lower,
                       const TensorView& x, PrecisionComparison& comparison) {
  const backends::Plan& plan = fp32.plan();
  backends::require_input(plan, x);
  std::vector<std::string> names;
  for (const char* name : {"logits", "embedding", "features"}) {
    if (plan.find_output(name) != nullptr) names.emplace_back(name);
  }
  const auto bytes = x.bytes.size() / static_cast<size_t>(x.shape[0]);
  for (size_t n = 0; n < static_cast<size_t>(x.shape[0]); ++n) {
    const TensorView one{x.dtype, plan.input_shape(1), x.bytes.subspan(n * bytes, bytes)};
    const auto expected = backends::run_outputs(fp32, one, names);
    const auto found = backends::run_outputs(lower, one, names);
    ++comparison.inputs;
    comparison.outputs.resize(names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      const Tensor& wanted = expected[i].second;
      const Tensor& given = found[i].second;
      const OutputError error = error_of(wanted.as<float>(), given.as<float>());
      NamedError& worst = comparison.outputs[i];
      if (worst.output.empty() || error.relative() > worst.error.relative()) worst = {names[i], error};
      if (names[i] == "logits") {
        comparison.flipped =
            comparison.flipped.value_or(0) + (best_class(wanted) != best_class(given) ? 1 : 0);
      }
    }
  }
}

}  // namespace swinzoo::eval
