// x + projection(window attention(norm(x))), or x + norm(projection(window attention(x))).
#include <algorithm>
#include <cmath>

#include "backends/cpu/position_bias.h"
#include "backends/cpu/schedule.h"
#include "backends/cpu/step.h"

namespace swinzoo::backends {
namespace {

class AttentionStep : public CpuStep {
 public:
  AttentionStep(const Step& step, const Attention& kernel, PackedWeights& weights)
      : grid_(element_count(weights.plan().value(step.input).shape) /
              weights.plan().value(step.input).shape.back()),
        tokens_(kernel.windows.tokens()),
        windows_(kernel.windows.count()),
        most_windows_(std::max<int64_t>(1, RowGroups::kMostRows / tokens_)),
        heads_(kernel.heads),
        channels_(weights.plan().weight(kernel.projection.weight).shape[0]),
        norm_last_(kernel.norm_last),
        norm_(weights.norm(kernel.norm)),
        rows_(window_rows(kernel.windows)),
        bias_(kernel, weights),
        masks_(kernel.windows) {
    if (kernel.logit_scale == kNone) {
      const float scale = kLog2E / std::sqrt(static_cast<float>(channels_ / heads_));
      qkv_ = weights.linear(kernel.qkv, channels_, scale);
    } else {
      qkv_ = weights.linear(kernel.qkv);
      const float* logit_scale = weights.weight(kernel.logit_scale);
      for (int64_t head = 0; head < heads_; ++head) {
        cosine_scales_.push_back(kLog2E * std::exp(std::min(logit_scale[head], std::log(100.0f))));
      }
    }
    projection_ = weights.linear(kernel.projection);
    scratch_size_ = weights.kernels().attention_scratch(tokens_, channels_ / heads_);
  }

  SlotSize slot_size() const override {
    const int64_t rows = padded_rows(most_windows_ * tokens_);
    return {rows * padded_stride(channels_), rows * padded_stride(3 * channels_), rows};
  }
  int64_t scratch_size() const override { return scratch_size_; }

  void run(const StepRun& run) const override {
    const Kernels& kernels = run.kernels;
    const int64_t windows = run.batch * windows_;
    const int64_t groups = (windows + most_windows_ - 1) / most_windows_;
    const int64_t stride = padded_stride(channels_), wide_stride = padded_stride(3 * channels_);
    const auto windows_of = [&](int64_t group) {
      return std::min(most_windows_, windows - group * most_windows_);
    };
    const auto rows = [&](int64_t group) { return windows_of(group) * tokens_; };
    const Phase gathered{rows, [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
                           for (int64_t row = first; row < last; ++row) {
                             const int64_t place = place_of(group * most_windows_ * tokens_ + row);
                             run.slot(slot).places()[row] = place;
                             gather(run, place, kernels.operand(run.slot(slot).narrow(), row * stride));
                           }
                         }};
    const Phase qkv{[&](int64_t) { return qkv_.panels(); },
                    [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
                      kernels.multiply(qkv_.product(run.slot(slot).narrow(), stride, rows(group), first, last,
                                                    Epilogue::kStore, run.slot(slot).wide(), wide_stride));
                    }};
    const Phase attended{[&](int64_t group) { return windows_of(group) * heads_; },
                         [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
                           for (int64_t i = first; i < last; ++i) {
                             attend(run, run.slot(slot), group * most_windows_, i / heads_, i % heads_);
                           }
                         }};
    const auto panels = [&](int64_t) { return projection_.panels(); };
    if (!norm_last_) {
      const Phase added{panels, [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
                          kernels.multiply(projection_.product(run.slot(slot).narrow(), stride, rows(group),
                                                               first, last, Epilogue::kAdd, run.current(),
                                                               channels_, run.slot(slot).places()));
                        }};
      run_phases(groups, run.threads, gathered, qkv, attended, added);
      return;
    }
    const Phase projected{
        panels, [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
          kernels.multiply(projection_.product(run.slot(slot).narrow(), stride, rows(group), first, last,
                                               Epilogue::kStore, run.slot(slot).wide(), stride));
        }};
    const Phase added{rows, [&](int64_t, int64_t slot, int64_t first, int64_t last) {
                        for (int64_t row = first; row < last; ++row) {
                          const int64_t place = run.slot(slot).places()[row];
                          if (place < 0) continue;
                          kernels.add_layer_norm(run.slot(slot).wide() + row * stride, channels_,
                                                 norm_.weight, norm_.bias, norm_.epsilon,
                                                 run.current() + place * channels_);
                        }
                      }};
    run_phases(groups, run.threads, gathered, qkv, attended, projected, added);
  }

 private:
  // Where a row of all images' windows is from; -1 is padding.
  int64_t place_of(int64_t row) const {
    const int64_t image = row / (windows_ * tokens_);
    const int32_t place = rows_[static_cast<size_t>(row % (windows_ * tokens_))];
    return place < 0 ? -1 : image * grid_ + place;
  }

  void gather(const StepRun& run, int64_t place, void* out) const {
    const float* x = run.current() + place * channels_;
    if (place < 0) {
      std::fill_n(static_cast<std::byte*>(out),
                  run.kernels.operand_size * static_cast<size_t>(padded_stride(channels_)), std::byte{0});
    } else if (norm_last_) {
      run.kernels.to_operands(x, channels_, out);
    } else {
      run.kernels.layer_norm(x, channels_, norm_.weight, norm_.bias, norm_.epsilon, out);
    }
  }

  // One head of one window of a group.
  void attend(const StepRun& run, Slot& slot, int64_t first_window, int64_t window, int64_t head) const {
    const int64_t stride = padded_stride(3 * channels_), out_stride = padded_stride(channels_);
    const int64_t head_size = channels_ / heads_, matrix = (first_window + window) * heads_ + head;
    float* q = slot.wide() + window * tokens_ * stride + head * head_size;
    if (!cosine_scales_.empty()) {
      for (float* row = q; row < q + tokens_ * stride; row += stride) {
        run.kernels.normalize(row, head_size, cosine_scales_[static_cast<size_t>(head)]);
        run.kernels.normalize(row + channels_, head_size, 1);
      }
    }
    HeadAttention job{
        .q = q,
        .k = q + channels_,
        .v = q + 2 * channels_,
        .stride = stride,
        .tokens = tokens_,
        .head_size = head_size,
        .bias = bias_.of_head(head),
        .positions = bias_.positions.data(),
        .centre = bias_.centre,
        .runs = bias_.runs.data(),
        .run_count = static_cast<int64_t>(bias_.runs.size()),
        .masks = nullptr,
        .mask_rows = nullptr,
        .mask_stride = 0,
        .scratch = run.workspace.scratch[static_cast<size_t>(this_thread())].as<float>().data(),
        .weights = run.attention == nullptr ? nullptr : run.attention + matrix * tokens_ * tokens_,
        .out = run.kernels.operand(slot.narrow(), window * tokens_ * out_stride + head * head_size),
        .out_stride = out_stride};
    masks_.apply((first_window + window) % windows_, job);
    run.kernels.attention(job);
  }

  int64_t grid_;          // rows of one image
  int64_t tokens_;        // of a window
  int64_t windows_;       // of one image
  int64_t most_windows_;  // of a group
  int64_t heads_;
  int64_t channels_;
  bool norm_last_;
  PackedNorm norm_;
  std::vector<int32_t> rows_;  // window_rows
  PositionBias bias_;
  ShiftMasks masks_;
  std::vector<float> cosine_scales_;  // a head; empty: dot products, whose scale is in qkv's weights
  PackedLinear qkv_, projection_;
  int64_t scratch_size_;
};

}  // namespace

std::unique_ptr<CpuStep> load_attention(const Step& step, const Attention& kernel, PackedWeights& weights) {
  return std::make_unique<AttentionStep>(step, kernel, weights);
}

}  // namespace swinzoo::backends
