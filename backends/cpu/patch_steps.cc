// Patch embedding and patch merging: rows gathered from a grid, then multiplied.
#include <algorithm>
#include <utility>

#include "backends/cpu/schedule.h"
#include "backends/cpu/step.h"

namespace swinzoo::backends {
namespace {

// norm(patches x projection). The convolution's weights multiply patches, as rows, as a linear layer would.
class PatchEmbedStep : public CpuStep {
 public:
  PatchEmbedStep(const Step& step, const PatchEmbed& kernel, PackedWeights& weights)
      : patch_(kernel.patch),
        norm_(weights.norm(kernel.norm)),
        projection_(weights.linear(kernel.projection)) {
    const Shape& in = weights.plan().value(step.input).shape;
    const Shape& shape = weights.plan().value(step.output).shape;
    channels_ = in[0];
    image_ = extents_of(std::span(in).subspan(1));
    grid_ = extents_of(std::span(shape).first(shape.size() - 1));
  }

  SlotSize slot_size() const override {
    const int64_t size = RowGroups::kMostRows * padded_stride(projection_.depth);
    return {size, size, 0};
  }

  void run(const StepRun& run) const override {
    const Kernels& kernels = run.kernels;
    const RowGroups groups(run.batch * grid_[0] * grid_[1] * grid_[2], run.threads);
    const int64_t stride = padded_stride(projection_.depth), columns = projection_.columns;
    const auto rows = [&](int64_t group) { return groups.count(group); };
    const auto out = [&](int64_t group, int64_t row) {
      return run.current() + (groups.first(group) + row) * columns;
    };
    const Phase gathered{rows, [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
                           for (int64_t row = first; row < last; ++row) {
                             float* patch = run.slot(slot).wide() + row * stride;
                             gather(run.x, groups.first(group) + row, patch);
                             kernels.to_operands(patch, projection_.depth,
                                                 kernels.operand(run.slot(slot).narrow(), row * stride));
                           }
                         }};
    const Phase projected{
        [&](int64_t) { return projection_.panels(); },
        [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
          kernels.multiply(projection_.product(run.slot(slot).narrow(), stride, groups.count(group), first,
                                               last, Epilogue::kStore, out(group, 0), columns));
        }};
    const Phase normed{rows, [&](int64_t group, int64_t, int64_t first, int64_t last) {
                         for (int64_t row = first; row < last; ++row) {
                           float* x = out(group, row);
                           kernels.layer_norm_float(x, columns, norm_.weight, norm_.bias, norm_.epsilon, x);
                         }
                       }};
    run_phases(groups.groups, run.threads, gathered, projected, normed);
  }

 private:
  // The patch at `place` of all images' as a row: zeros beyond the image's end.
  void gather(const float* x, int64_t place, float* to) const {
    const int64_t places = grid_[0] * grid_[1] * grid_[2];
    const int64_t n = place / places, first_d = place / (grid_[1] * grid_[2]) % grid_[0] * patch_[0],
                  first_h = place / grid_[2] % grid_[1] * patch_[1], first_w = place % grid_[2] * patch_[2];
    const int64_t width = std::min(patch_[2], image_[2] - first_w);
    for (int64_t c = 0; c < channels_; ++c) {
      for (int64_t d = first_d; d < first_d + patch_[0]; ++d) {
        for (int64_t h = first_h; h < first_h + patch_[1]; ++h, to += patch_[2]) {
          const bool is_inside = d < image_[0] && h < image_[1];
          const int64_t row = ((n * channels_ + c) * image_[0] + d) * image_[1] + h;
          if (is_inside) std::copy_n(x + row * image_[2] + first_w, width, to);
          std::fill(to + (is_inside ? width : 0), to + patch_[2], 0.0f);
        }
      }
    }
  }

  Extents patch_, image_, grid_;
  int64_t channels_;
  PackedNorm norm_;
  PackedLinear projection_;
};

// reduction(norm(2 x 2 neighbours side by side)), or norm(reduction(the same)).
class PatchMergingStep : public CpuStep {
 public:
  PatchMergingStep(const Step& step, const PatchMerging& kernel, PackedWeights& weights)
      : norm_last_(kernel.norm_last),
        norm_(weights.norm(kernel.norm)),
        reduction_(weights.linear(kernel.reduction)) {
    const Shape& from = weights.plan().value(step.input).shape;
    const Shape& to = weights.plan().value(step.output).shape;
    const size_t axis = from.size() - 3;  // depth is not merged: a clip's frames are as many images
    height_ = from[axis], width_ = from[axis + 1], channels_ = from[axis + 2];
    merged_height_ = to[axis], merged_width_ = to[axis + 1];
    rows_ = element_count(to) / to.back();
  }

  SlotSize slot_size() const override {
    const int64_t size = RowGroups::kMostRows * padded_stride(reduction_.depth);
    return {size, size, 0};
  }

  void run(const StepRun& run) const override {
    const Kernels& kernels = run.kernels;
    const RowGroups groups(run.batch * rows_, run.threads);
    const int64_t stride = padded_stride(reduction_.depth), columns = reduction_.columns;
    const auto rows = [&](int64_t group) { return groups.count(group); };
    const auto out = [&](int64_t group, int64_t row) {
      return run.next() + (groups.first(group) + row) * columns;
    };
    const Phase gathered{rows, [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
                           for (int64_t row = first; row < last; ++row) {
                             float* merged = run.slot(slot).wide() + row * stride;
                             void* operands = kernels.operand(run.slot(slot).narrow(), row * stride);
                             gather(run.current(), groups.first(group) + row, merged);
                             if (norm_last_) {
                               kernels.to_operands(merged, reduction_.depth, operands);
                             } else {
                               kernels.layer_norm(merged, reduction_.depth, norm_.weight, norm_.bias,
                                                  norm_.epsilon, operands);
                             }
                           }
                         }};
    const Phase reduced{
        [&](int64_t) { return reduction_.panels(); },
        [&](int64_t group, int64_t slot, int64_t first, int64_t last) {
          kernels.multiply(reduction_.product(run.slot(slot).narrow(), stride, groups.count(group), first,
                                              last, Epilogue::kStore, out(group, 0), columns));
        }};
    const Phase normed{[&](int64_t group) { return norm_last_ ? groups.count(group) : 0; },
                       [&](int64_t group, int64_t, int64_t first, int64_t last) {
                         for (int64_t row = first; row < last; ++row) {
                           float* x = out(group, row);
                           kernels.layer_norm_float(x, columns, norm_.weight, norm_.bias, norm_.epsilon, x);
                         }
                       }};
    run_phases(groups.groups, run.threads, gathered, reduced, normed);
    std::swap(run.workspace.current, run.workspace.next);
  }

 private:
  // Height fastest, as the checkpoints have it; zeros beyond an odd grid's end.
  void gather(const float* x, int64_t place, float* out) const {
    const int64_t col = place % merged_width_, row = place / merged_width_ % merged_height_;
    const int64_t image = place / (merged_height_ * merged_width_);
    for (int64_t part = 0; part < 4; ++part, out += channels_) {
      const int64_t h = 2 * row + part % 2, w = 2 * col + part / 2;
      if (h < height_ && w < width_) {
        std::copy_n(x + ((image * height_ + h) * width_ + w) * channels_, channels_, out);
      } else {
        std::fill_n(out, channels_, 0.0f);
      }
    }
  }

  bool norm_last_;
  int64_t height_, width_, channels_, merged_height_, merged_width_;
  int64_t rows_;  // of one image or clip, merged
  PackedNorm norm_;
  PackedLinear reduction_;
};

}  // namespace

std::unique_ptr<CpuStep> load_patch_embed(const Step& step, const PatchEmbed& kernel,
                                          PackedWeights& weights) {
  return std::make_unique<PatchEmbedStep>(step, kernel, weights);
}

std::unique_ptr<CpuStep> load_patch_merging(const Step& step, const PatchMerging& kernel,
                                            PackedWeights& weights) {
  return std::make_unique<PatchMergingStep>(step, kernel, weights);
}

}  // namespace swinzoo::backends
