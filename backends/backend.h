// Backend: runs plans. A backend sees plans and tensors, never names of models.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/plan.h"
#include "formats/tensor.h"

namespace swinzoo::backends {

// Where a result goes: `data` has plan.output_shape(plan.outputs[output], batch).
struct OutputBinding {
  size_t output;
  std::span<float> data;
  // Where there is one, it is called once `data` is full, before the next step runs. So outputs of different
  // steps can share their data, and a model's attention weights need not be held at once. It may run other
  // executables.
  std::function<void()> written = {};
};

// How long each step of a plan took in one run: time that passed, with all of its threads at work. Steps run
// one after another, so these add up to the whole run. A step that was not needed has zero.
struct StepTimes {
  std::vector<std::chrono::nanoseconds> steps;  // as in Plan::steps
};

// Times one step, from its construction to its destruction; does nothing where `times` is null.
class StepTimer {
 public:
  StepTimer(StepTimes* times, size_t step) : times_(times), step_(step) {
    if (times_ != nullptr) start_ = std::chrono::steady_clock::now();
  }
  ~StepTimer() {
    if (times_ != nullptr) times_->steps[step_] = std::chrono::steady_clock::now() - start_;
  }
  StepTimer(const StepTimer&) = delete;
  StepTimer& operator=(const StepTimer&) = delete;

 private:
  StepTimes* times_;
  size_t step_;
  std::chrono::steady_clock::time_point start_;
};

// A plan made ready to run: weights prepared, buffers planned. Immutable after load; run() may be called from
// several threads at once.
class Executable {
 public:
  virtual ~Executable() = default;

  // Runs a batch. x: float32 [batch, ...plan().input], finite or not. Fills what is bound, and computes no
  // further than what is bound needs. REQUIRES: x's shape fits, and each binding's size is right.
  void run(const TensorView& x, std::span<const OutputBinding> outputs) const {
    run_timed(x, outputs, nullptr);
  }

  // The same; where `times` is not null, fills it.
  virtual void run_timed(const TensorView& x, std::span<const OutputBinding> outputs,
                         StepTimes* times) const = 0;

  // The instruction set that the kernels were chosen for: "avx512", "avx2", "baseline"; "none" for the
  // reference.
  virtual std::string_view isa() const = 0;

  const Plan& plan() const { return plan_; }

 protected:
  explicit Executable(Plan plan) : plan_(std::move(plan)) {}

 private:
  Plan plan_;
};

// What a backend computes products in. Everything else is fp32 in both: the residual stream, the statistics
// of norms, softmax, and what products add up in.
enum class Precision : uint8_t { kFp32, kBf16 };
std::string_view name_of(Precision precision);  // "fp32", "bf16"

struct LoadOptions {
  int threads = 1;  // in all
  // How many calls of run() the threads are shared between; each call gets threads / streams of them, at
  // least one. One stream is for latency, several are for throughput.
  int streams = 1;
  Precision precision = Precision::kFp32;
  // Each thread is bound to a processor of its own while it works on a call, the streams to different ones.
  bool pin = false;
};

// Makes an executable. weights[i] is plan.weights[i], float32 and of its shape; the views must live as long
// as the executable. Throws kUnsupported if this machine can't run it.
using LoadFunction = std::unique_ptr<Executable> (*)(Plan plan, std::vector<TensorView> weights,
                                                     const LoadOptions& options);

struct Backend {
  std::string_view name;
  std::string_view summary;
  LoadFunction load;
};

// All backends, the default first.
std::span<const Backend> backends();

// Throws kUsage, naming what there is, if there is no such backend.
const Backend& find_backend(std::string_view name);

// Throws kUsage, naming what the plan has.
[[noreturn]] void fail_no_output(const Plan& plan, std::string_view name);

// Throws kUsage unless x is a batch of what the plan takes.
void require_input(const Plan& plan, const TensorView& x);

// Runs a batch and returns the outputs asked for, by name, in the order asked. Throws kUsage if x's shape
// does not fit or the plan has no such output.
std::vector<std::pair<std::string, Tensor>> run_outputs(const Executable& executable, const TensorView& x,
                                                        std::span<const std::string> names);

// Writes a value of a batch, as the steps leave it, to where it is bound: copied, or channels first.
void write_output(const Plan& plan, const OutputBinding& binding, int64_t batch, const float* value);

// Calls `written` of what is bound to a step's results, in the order bound.
void report_written(const Plan& plan, const Step& step, std::span<const OutputBinding> outputs);

// The index of the last step that the bound outputs need.
size_t last_step_needed(const Plan& plan, std::span<const OutputBinding> outputs);

}  // namespace swinzoo::backends
