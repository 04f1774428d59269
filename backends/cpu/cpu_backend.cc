#include "backends/cpu/cpu_backend.h"

#include <tbb/task_arena.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <utility>

#include "backends/cpu/kernels.h"
#include "backends/cpu/pinning.h"
#include "backends/cpu/step.h"
#include "backends/threads.h"
#include "formats/error.h"

namespace swinzoo::backends {
namespace {

std::unique_ptr<CpuStep> load_step(const Step& step, PackedWeights& weights) {
  const auto load = [&](const auto& kernel) -> std::unique_ptr<CpuStep> {
    using Kernel = std::decay_t<decltype(kernel)>;
    if constexpr (std::is_same_v<Kernel, PatchEmbed>) return load_patch_embed(step, kernel, weights);
    if constexpr (std::is_same_v<Kernel, Attention>) return load_attention(step, kernel, weights);
    if constexpr (std::is_same_v<Kernel, Mlp>) return load_mlp(step, kernel, weights);
    if constexpr (std::is_same_v<Kernel, PatchMerging>) return load_patch_merging(step, kernel, weights);
    if constexpr (std::is_same_v<Kernel, TokenNorm>) return load_token_norm(step, kernel, weights);
    if constexpr (std::is_same_v<Kernel, Pool>) return load_pool(step, weights);
    if constexpr (std::is_same_v<Kernel, Head>) return load_head(step, kernel, weights);
  };
  return std::visit(load, step.kernel);
}

// As many processors as there are threads.
std::vector<int> processors_for(int threads) {
  std::vector<int> processors = processors_to_pin();
  if (processors.size() < static_cast<size_t>(threads)) {
    fail(ErrorCode::kUnsupported, "pinning {} threads: this process may run on {} processors", threads,
         processors.size());
  }
  processors.resize(static_cast<size_t>(threads));
  return processors;
}

// What one call of run() works with: threads, and buffers.
struct Lane {
  // processors: where its threads are bound to; none: nowhere.
  Lane(int threads, std::vector<int> processors) : arena(threads) {
    if (!processors.empty()) pinned.emplace(arena, std::move(processors));
  }

  tbb::task_arena arena;
  std::optional<Pinned> pinned;
  std::unique_ptr<Workspace> workspace;  // null before the first run
};

class CpuExecutable : public Executable {
 public:
  CpuExecutable(Plan plan, std::vector<TensorView> weights, const LoadOptions& options, Isa isa)
      : Executable(std::move(plan)),
        threads_(std::max(1, options.threads / options.streams)),
        isa_(isa),
        more_threads_(allow_threads(options.threads)),
        processors_(options.pin ? processors_for(options.threads) : std::vector<int>()),
        views_(std::move(weights)),
        weights_(this->plan(), views_, kernels_for(isa, options.precision)) {
    for (const Step& step : this->plan().steps) steps_.push_back(load_step(step, weights_));
    tbb::task_arena(options.threads).execute([&] { weights_.pack(); });
    for (const Step& step : this->plan().steps) {
      value_size_ = std::max(value_size_, element_count(this->plan().value(step.output).shape));
    }
    for (const auto& step : steps_) {
      const SlotSize size = step->slot_size();
      slot_size_ = {std::max(slot_size_.narrow, size.narrow), std::max(slot_size_.wide, size.wide),
                    std::max(slot_size_.places, size.places)};
      scratch_size_ = std::max(scratch_size_, step->scratch_size());
    }
  }

  std::string_view isa() const override { return name_of(isa_); }

  void run_timed(const TensorView& x, std::span<const OutputBinding> outputs,
                 StepTimes* times) const override {
    if (times != nullptr) times->steps.assign(plan().steps.size(), {});
    std::unique_ptr<Lane> lane = take_lane(x.shape[0]);
    lane->arena.execute([&] { run_steps(x, outputs, times, *lane->workspace); });
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(lane));
  }

 private:
  // A lane that nobody uses, with a workspace for the batch.
  std::unique_ptr<Lane> take_lane(int64_t batch) const {
    std::unique_ptr<Lane> lane;
    size_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        lane = std::move(idle_.back());
        idle_.pop_back();
      } else {
        number = lanes_++;
      }
    }
    if (!lane) lane = std::make_unique<Lane>(threads_, processors_of(number));
    if (!lane->workspace || lane->workspace->batch < batch) {
      lane->workspace = std::make_unique<Workspace>(batch, threads_, value_size_, slot_size_, scratch_size_);
    }
    return lane;
  }

  // The processors of a lane, in turn where more calls run at a time than there are streams.
  std::vector<int> processors_of(size_t lane) const {
    if (processors_.empty()) return {};
    const auto count = static_cast<size_t>(threads_);
    const auto first =
        processors_.begin() + static_cast<ptrdiff_t>(lane % (processors_.size() / count) * count);
    return {first, first + threads_};
  }

  void run_steps(const TensorView& x, std::span<const OutputBinding> outputs, StepTimes* times,
                 Workspace& workspace) const {
    const int64_t batch = x.shape[0];
    const size_t last = last_step_needed(plan(), outputs);
    for (size_t s = 0; s <= last; ++s) {
      const StepTimer timer(times, s);
      const Step& step = plan().steps[s];
      float* attention = nullptr;
      for (const OutputBinding& binding : outputs) {
        if (plan().outputs[binding.output].value == step.attention) attention = binding.data.data();
      }
      steps_[s]->run({weights_.kernels(), batch, threads_, x.as<float>().data(), attention, workspace});
      for (const OutputBinding& binding : outputs) {
        if (plan().outputs[binding.output].value != step.output) continue;
        write_output(plan(), binding, batch, workspace.current.as<float>().data());
      }
      report_written(plan(), step, outputs);
    }
  }

  int threads_;  // of one call
  Isa isa_;
  std::unique_ptr<tbb::global_control> more_threads_;
  std::vector<int> processors_;  // to bind threads to; none: they are not bound
  std::vector<TensorView> views_;
  PackedWeights weights_;
  std::vector<std::unique_ptr<CpuStep>> steps_;  // as in Plan::steps
  int64_t value_size_ = 0;
  SlotSize slot_size_;
  int64_t scratch_size_ = 0;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Lane>> idle_;
  mutable size_t lanes_ = 0;
};

}  // namespace

std::unique_ptr<Executable> load_cpu(Plan plan, std::vector<TensorView> weights, const LoadOptions& options) {
  const char* forced = std::getenv("SWINZOO_FORCE_ISA");
  const Isa isa = choose_isa(forced == nullptr ? "" : forced, options.precision);
  return std::make_unique<CpuExecutable>(std::move(plan), std::move(weights), options, isa);
}

}  // namespace swinzoo::backends
