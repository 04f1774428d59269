#include "backends/cpu/packed_weights.h"

#include <sys/mman.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <new>

namespace swinzoo::backends {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLine = 64;

size_t rounded_up(size_t size, size_t to) { return (size + to - 1) / to * to; }

}  // namespace

Product PackedLinear::product(const void* x, int64_t x_stride, int64_t rows, int64_t first, int64_t last,
                              Epilogue epilogue, void* out, int64_t out_stride,
                              const int64_t* out_rows) const {
  return {.x = x,
          .x_stride = x_stride,
          .rows = rows,
          .depth = depth,
          .w = packed,
          .first_column = first * panel_columns,
          .columns = std::min(columns, last * panel_columns),
          .bias = bias.empty() ? nullptr : bias.data(),
          .epilogue = epilogue,
          .out = out,
          .out_stride = out_stride,
          .out_rows = out_rows};
}

PackedWeights::PackedWeights(const Plan& plan, std::span<const TensorView> weights, const Kernels& kernels)
    : plan_(plan), weights_(weights), kernels_(kernels) {
  for (const Weight& weight : plan.weights) {
    if (weight.shape.size() < 2) continue;
    const int64_t columns = weight.shape[0];
    size_ += rounded_up(kernels.packed_size(columns, element_count(weight.shape) / columns), kLine);
  }
  // Kernels read ahead of what they need, and huge pages save them the walks for small ones.
  size_ = rounded_up(size_ + kLine, kHugePage);
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kHugePage, size_));
  if (memory == nullptr) throw std::bad_alloc();
  memory_.reset(memory);
  madvise(memory, size_, MADV_HUGEPAGE);  // a wish: it may fail
}

void PackedWeights::Free::operator()(std::byte* memory) const { std::free(memory); }

PackedLinear PackedWeights::linear(const Linear& linear, int64_t scaled, float scale) {
  const Shape& shape = plan_.weight(linear.weight).shape;
  PackedLinear packed;
  packed.columns = shape[0];
  packed.depth = element_count(shape) / shape[0];
  packed.panel_columns = kernels_.panel_columns;
  packed.packed = memory_.get() + used_;
  packed.bias = joined_bias(linear);
  if (!packed.bias.empty()) {
    for (int64_t c = 0; c < scaled; ++c) packed.bias[static_cast<size_t>(c)] *= scale;
    packed.bias.resize(static_cast<size_t>(packed.panels() * packed.panel_columns));
  }
  jobs_.push_back(
      {weight(linear.weight), packed.columns, packed.depth, scaled, scale, memory_.get() + used_});
  used_ += rounded_up(kernels_.packed_size(packed.columns, packed.depth), kLine);
  assert(used_ <= size_);
  return packed;
}

void PackedWeights::pack() {
  constexpr int64_t kColumns = 256;  // a task: of whole panels, whatever the instruction set
  tbb::parallel_for(size_t{0}, jobs_.size(), [&](size_t j) {
    const Job& job = jobs_[j];
    tbb::parallel_for(int64_t{0}, (job.columns + kColumns - 1) / kColumns, [&](int64_t part) {
      const int64_t first = part * kColumns;
      kernels_.pack(job.from + first * job.depth, std::min(kColumns, job.columns - first), job.depth,
                    std::clamp<int64_t>(job.scaled - first, 0, kColumns), job.scale,
                    job.to + kernels_.packed_size(first, job.depth));
    });
  });
  jobs_.clear();
}

PackedNorm PackedWeights::norm(const Norm& norm) const {
  return {plan_.weight(norm.weight).shape[0], weight(norm.weight), weight(norm.bias),
          static_cast<float>(norm.epsilon)};
}

std::vector<float> PackedWeights::joined_bias(const Linear& linear) const {
  std::vector<float> bias;
  if (linear.bias.empty()) return bias;
  const auto part = static_cast<size_t>(plan_.weight(linear.weight).shape[0]) / linear.bias.size();
  for (const WeightId id : linear.bias) {
    if (id == kNone) {
      bias.resize(bias.size() + part);
    } else {
      bias.insert(bias.end(), weight(id), weight(id) + part);
    }
  }
  return bias;
}

const float* PackedWeights::weight(WeightId id) const {
  return id == kNone ? nullptr : weights_[static_cast<size_t>(id)].as<float>().data();
}

}  // namespace swinzoo::backends
