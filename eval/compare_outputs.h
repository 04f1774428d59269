// Outputs of a model beside what they should be: of every step of its plan, or those that a golden case
// holds.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "formats/checkpoint.h"

namespace swinzoo::eval {

// How far a result is from what is expected.
struct OutputError {
  double max_abs = 0;      // the largest difference; infinite where one is finite and the other is not
  double abs_max = 0;      // the largest finite absolute value expected
  int64_t not_finite = 0;  // elements expected to be NaN or infinite

  // As a share of abs_max.
  double relative() const { return max_abs == 0 ? 0 : max_abs / abs_max; }
};

// NaN agrees with NaN, and an infinity with itself. REQUIRES: as many elements.
OutputError error_of(std::span<const float> expected, std::span<const float> found);

// The plan with more outputs: each step's result as "step.NAME", and the weights after softmax of an
// attention step as "step.NAME.attention".
backends::Plan with_step_outputs(backends::Plan plan);

// At most this many bytes of outputs are held for each of two sides at a time; where a model has more, it
// runs several times. A single output may be larger.
inline constexpr int64_t kMostBytes = int64_t{512} << 20;

struct NamedError {
  std::string output;
  OutputError error;
};

struct OutputComparison {
  std::vector<NamedError> outputs;  // in the order in which they are computed
  double expected_seconds = 0;      // that the run of `expected` took
};

// Runs both on x, `expected` only once, and compares every output of their plans. Holds the largest step's
// outputs of `expected`, and up to most_bytes of `found`, which runs several times where it has more. Throws
// kUsage if x does not fit. REQUIRES: their plans are equal.
OutputComparison compare_outputs(const backends::Executable& expected, const backends::Executable& found,
                                 const TensorView& x, int64_t most_bytes = kMostBytes);

struct StepError {
  std::string step;
  bool attention;  // its weights after softmax, not its result
  OutputError error;
};

// Runs both on x and compares every step, in the plan's order; a step's attention comes before its result.
// Throws kCorrupt, naming the first difference, if the plans have other steps; kUsage if x does not fit.
// REQUIRES: their plans come from with_step_outputs.
std::vector<StepError> compare_steps(const backends::Executable& expected, const backends::Executable& found,
                                     const TensorView& x, int64_t most_bytes = kMostBytes);

// The first that is farther off than tolerance x abs_max; null where none is.
const StepError* first_divergence(std::span<const StepError> steps, double tolerance);

struct GoldenOutput {
  std::string name;
  OutputError error;
  std::string mismatch;  // why it can't be compared, which is a fault: another shape, or no such output
};

struct GoldenComparison {
  std::vector<GoldenOutput> outputs;
  std::vector<std::string> not_compared;  // tensors that are no outputs of any model
};

// Runs on x and compares the tensors that `expected` holds: logits, embedding, features, feature_map.i,
// attention.i, and transformers' hidden_state.i ([batch, channels, H, W]: the patches' embedding, then each
// stage's result after merging, of the last one before the norm). Tokens may stand in a row: [batch, tokens,
// channels]. Throws kUsage if x does not fit; kUnsupported for integers.
// REQUIRES: the plan comes from with_step_outputs.
GoldenComparison compare_golden(const backends::Executable& executable, const TensorView& x,
                                const Checkpoint& expected, int64_t most_bytes = kMostBytes);

}  // namespace swinzoo::eval
