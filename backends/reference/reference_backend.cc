#include "backends/reference/reference_backend.h"

#include <tbb/task_arena.h>

#include <algorithm>

#include "backends/reference/ops.h"
#include "backends/threads.h"
#include "formats/error.h"

namespace swinzoo::backends {
namespace {

class ReferenceExecutable : public Executable {
 public:
  ReferenceExecutable(Plan plan, std::vector<TensorView> weights, int threads)
      : Executable(std::move(plan)),
        weights_(std::move(weights)),
        threads_(threads),
        more_threads_(allow_threads(threads)) {}

  void run_timed(const TensorView& x, std::span<const OutputBinding> outputs,
                 StepTimes* times) const override {
    tbb::task_arena arena(threads_);
    arena.execute([&] { run_in_arena(x, outputs, times); });
  }

  std::string_view isa() const override { return "none"; }

 private:
  void run_in_arena(const TensorView& x, std::span<const OutputBinding> outputs, StepTimes* times) const {
    const int64_t batch = x.shape[0];
    if (times != nullptr) times->steps.assign(plan().steps.size(), {});
    const size_t last = last_step_needed(plan(), outputs);
    const std::vector<size_t> last_use = last_uses(last);
    std::vector<Tensor> values(plan().values.size());
    const auto view = [&](ValueId id) {
      return id == 0 ? x.as<float>() : std::as_const(values[static_cast<size_t>(id)]).as<float>();
    };
    for (size_t s = 0; s <= last; ++s) {
      const StepTimer timer(times, s);
      const Step& step = plan().steps[s];
      for (const Op& op : step.ops) {
        const Value& result = plan().value(op.output);
        Tensor& out = values[static_cast<size_t>(op.output)];
        out = Tensor(DType::kF32, op.once ? result.shape : batched_shape(result, batch));
        std::vector<std::span<const float>> in, weights;
        for (const ValueId id : op.inputs) in.push_back(view(id));
        for (const WeightId id : op.weights) {
          weights.push_back(id == kNone ? std::span<const float>()
                                        : weights_[static_cast<size_t>(id)].as<float>());
        }
        reference::compute(plan(), op, batch, in, weights, out.as<float>());
      }
      for (const OutputBinding& binding : outputs) {
        const ValueId value = plan().outputs[binding.output].value;
        if (value == step.output || value == step.attention)
          write_output(plan(), binding, batch, view(value).data());
      }
      report_written(plan(), step, outputs);
      for (size_t v = 0; v < values.size(); ++v) {
        if (last_use[v] == s) values[v] = Tensor();
      }
    }
  }

  // For each value, the last step that reads it (or makes it, where none reads it).
  std::vector<size_t> last_uses(size_t last) const {
    std::vector<size_t> uses(plan().values.size(), 0);
    for (size_t s = 0; s <= last; ++s) {
      for (const Op& op : plan().steps[s].ops) {
        uses[static_cast<size_t>(op.output)] = s;
        for (const ValueId id : op.inputs) uses[static_cast<size_t>(id)] = s;
      }
    }
    return uses;
  }

  std::vector<TensorView> weights_;
  int threads_;
  std::unique_ptr<tbb::global_control> more_threads_;
};

}  // namespace

std::unique_ptr<Executable> load_reference(Plan plan, std::vector<TensorView> weights,
                                           const LoadOptions& options) {
  if (options.precision != Precision::kFp32) {
    fail(ErrorCode::kUnsupported, "the reference backend computes in fp32 only");
  }
  if (options.pin)
    fail(ErrorCode::kUnsupported, "the reference backend does not bind its threads to processors");
  const int threads = std::max(1, options.threads / options.streams);
  return std::make_unique<ReferenceExecutable>(std::move(plan), std::move(weights), threads);
}

}  // namespace swinzoo::backends
