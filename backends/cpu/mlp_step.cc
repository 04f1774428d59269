// x + fc2(gelu(fc1(norm(x)))), or x + norm(fc2(gelu(fc1(x)))).
#include "backends/cpu/schedule.h"
#include "backends/cpu/step.h"

namespace swinzoo::backends {
namespace {

class MlpStep : public CpuStep {
 public:
  MlpStep(const Step& step, const Mlp& kernel, PackedWeights& weights)
      : rows_(element_count(weights.plan().value(step.input).shape) /
              weights.plan().value(step.input).shape.back()),
        norm_last_(kernel.norm_last),
        norm_(weights.norm(kernel.norm)),
        fc1_(weights.linear(kernel.fc1)),
        fc2_(weights.linear(kernel.fc2)) {}

  SlotSize slot_size() const override {
    return {RowGroups::kMostRows * padded_stride(fc1_.depth),
            RowGroups::kMostRows * padded_stride(fc2_.depth), 0};
  }

  void run(const StepRun& run) const override {
    const Kernels& kernels = run.kernels;
    const RowGroups groups(run.batch * rows_, run.threads);
    const int64_t channels = fc1_.depth, stride = padded_stride(channels),
                  hidden_stride = padded_stride(fc2_.depth);
    const auto rows = [&](int64_t group) { return groups.count(group); };
    const auto x = [&](int64_t group, int64_t row) {
      return run.current() + (groups.first(group) + row) * channels;
    };
    const Phase normed{rows, [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
                         for (int64_t row = first; row < last; ++row) {
                           void* out = kernels.operand(run.slot(slot).narrow(), row * stride);
                           if (norm_last_) {
                             kernels.to_operands(x(group, row), channels, out);
                           } else {
                             kernels.layer_norm(x(group, row), channels, norm_.weight, norm_.bias,
                                                norm_.epsilon, out);
                           }
                         }
                       }};
    const Phase hidden{
        [&](int64_t) { return fc1_.panels(); },
        [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
          kernels.multiply(fc1_.product(run.slot(slot).narrow(), stride, groups.count(group), first, last,
                                        Epilogue::kGelu, run.slot(slot).wide(), hidden_stride));
        }};
    const auto panels = [&](int64_t) { return fc2_.panels(); };
    if (!norm_last_) {
      const Phase added{
          panels, [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
            kernels.multiply(fc2_.product(run.slot(slot).wide(), hidden_stride, groups.count(group), first,
                                          last, Epilogue::kAdd, x(group, 0), channels));
          }};
      run_phases(groups.groups, run.threads, normed, hidden, added);
      return;
    }
    const Phase product{
        panels, [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
          kernels.multiply(fc2_.product(run.slot(slot).wide(), hidden_stride, groups.count(group), first,
                                        last, Epilogue::kStore, run.slot(slot).narrow(), stride));
        }};
    const Phase added{rows, [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
                        const float* from = run.slot(slot).narrow();
                        for (int64_t row = first; row < last; ++row) {
                          kernels.add_layer_norm(from + row * stride, channels, norm_.weight, norm_.bias,
                                                 norm_.epsilon, x(group, row));
                        }
                      }};
    run_phases(groups.groups, run.threads, normed, hidden, product, added);
  }

 private:
  int64_t rows_;  // of one image
  bool norm_last_;
  PackedNorm norm_;
  PackedLinear fc1_, fc2_;
};

}  // namespace

std::unique_ptr<CpuStep> load_mlp(const Step& step, const Mlp& kernel, PackedWeights& weights) {
  return std::make_unique<MlpStep>(step, kernel, weights);
}

}  // namespace swinzoo::backends
