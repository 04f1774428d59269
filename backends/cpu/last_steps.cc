// What stands behind the last stage: a norm, the mean over all tokens, the classifier.
#include <algorithm>
#include <utility>

#include "backends/cpu/schedule.h"
#include "backends/cpu/step.h"

namespace swinzoo::backends {
namespace {

class TokenNormStep : public CpuStep {
 public:
  TokenNormStep(const Step& step, const TokenNorm& kernel, PackedWeights& weights)
      : rows_(element_count(weights.plan().value(step.input).shape) /
              weights.plan().value(step.input).shape.back()),
        norm_(weights.norm(kernel.norm)) {}

  void run(const StepRun& run) const override {
    const RowGroups groups(run.batch * rows_, run.threads);
    const Phase normed{[&](int64_t group) { return groups.count(group); },
                       [&](int64_t group, int64_t, int64_t first, int64_t last) {
                         for (int64_t row = first; row < last; ++row) {
                           float* x = run.current() + (groups.first(group) + row) * norm_.channels;
                           run.kernels.layer_norm_float(x, norm_.channels, norm_.weight, norm_.bias,
                                                        norm_.epsilon, x);
                         }
                       }};
    run_phases(groups.groups, run.threads, normed);
  }

 private:
  int64_t rows_;  // of one image
  PackedNorm norm_;
};

class PoolStep : public CpuStep {
 public:
  PoolStep(const Step& step, const PackedWeights& weights)
      : channels_(weights.plan().value(step.output).shape.back()),
        rows_(element_count(weights.plan().value(step.input).shape) / channels_) {}

  void run(const StepRun& run) const override {
    parallel_each(run.batch, [&](int64_t image) {
      float* sum = run.next() + image * channels_;
      std::fill_n(sum, channels_, 0.0f);
      for (int64_t row = 0; row < rows_; ++row) {
        run.kernels.add(run.current() + (image * rows_ + row) * channels_, channels_, sum);
      }
      std::transform(sum, sum + channels_, sum, [&](float v) { return v / static_cast<float>(rows_); });
    });
    std::swap(run.workspace.current, run.workspace.next);
  }

 private:
  int64_t channels_;
  int64_t rows_;  // of one image
};

class HeadStep : public CpuStep {
 public:
  HeadStep(const Head& kernel, PackedWeights& weights) : linear_(weights.linear(kernel.linear)) {}

  SlotSize slot_size() const override { return {RowGroups::kMostRows * padded_stride(linear_.depth), 0, 0}; }

  void run(const StepRun& run) const override {
    const Kernels& kernels = run.kernels;
    const RowGroups groups(run.batch, run.threads);
    const int64_t stride = padded_stride(linear_.depth);
    const Phase gathered{[&](int64_t group) { return groups.count(group); },
                         [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
                           for (int64_t row = first; row < last; ++row) {
                             kernels.to_operands(run.current() + (groups.first(group) + row) * linear_.depth,
                                                 linear_.depth,
                                                 kernels.operand(run.slot(slot).narrow(), row * stride));
                           }
                         }};
    const Phase classified{
        [&](int64_t) { return linear_.panels(); },
        [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
          kernels.multiply(linear_.product(
              run.slot(slot).narrow(), stride, groups.count(group), first, last, Epilogue::kStore,
              run.next() + groups.first(group) * linear_.columns, linear_.columns));
        }};
    run_phases(groups.groups, run.threads, gathered, classified);
    std::swap(run.workspace.current, run.workspace.next);
  }

 private:
  PackedLinear linear_;
};

}  // namespace

std::unique_ptr<CpuStep> load_token_norm(const Step& step, const TokenNorm& kernel, PackedWeights& weights) {
  return std::make_unique<TokenNormStep>(step, kernel, weights);
}

std::unique_ptr<CpuStep> load_pool(const Step& step, PackedWeights& weights) {
  return std::make_unique<PoolStep>(step, weights);
}

std::unique_ptr<CpuStep> load_head(const Step&, const Head& kernel, PackedWeights& weights) {
  return std::make_unique<HeadStep>(kernel, weights);
}

}  // namespace swinzoo::backends
