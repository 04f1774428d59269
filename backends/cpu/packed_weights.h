// The weights of a plan as the cpu backend's kernels read them, made once at load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backends/cpu/kernels.h"
#include "backends/plan.h"
#include "formats/tensor.h"

namespace swinzoo::backends {

// A linear layer ready to multiply with. The packed weights belong to the PackedWeights that it is from.
struct PackedLinear {
  int64_t columns = 0;
  int64_t depth = 0;
  int64_t panel_columns = 0;
  const std::byte* packed = nullptr;
  std::vector<float> bias;  // in one piece, padded with zeros to whole panels; empty where there is none

  int64_t panels() const { return (columns + panel_columns - 1) / panel_columns; }

  // out = epilogue(x w^T + bias) for the panels [first, last).
  Product product(const void* x, int64_t x_stride, int64_t rows, int64_t first, int64_t last,
                  Epilogue epilogue, void* out, int64_t out_stride, const int64_t* out_rows = nullptr) const;
};

struct PackedNorm {
  int64_t channels = 0;
  const float* weight = nullptr;
  const float* bias = nullptr;
  float epsilon = 0;
};

// Packs in two passes: layers are asked for one by one, then all are packed in parallel. Not thread-safe.
class PackedWeights {
 public:
  // weights[i] is plan.weights[i], float32; the views and the plan must live as long as this does.
  PackedWeights(const Plan& plan, std::span<const TensorView> weights, const Kernels& kernels);

  // A layer, whose place is settled and whose weights are not there before pack(). The first `scaled` columns
  // and their biases are multiplied by scale.
  PackedLinear linear(const Linear& linear, int64_t scaled = 0, float scale = 1);

  // Packs what was asked for, on the threads of the calling arena.
  void pack();

  PackedNorm norm(const Norm& norm) const;

  // A bias in parts as one piece, zeros where a part has none; empty where there is no bias.
  std::vector<float> joined_bias(const Linear& linear) const;

  // As it is in the file; null for kNone.
  const float* weight(WeightId id) const;
  const Plan& plan() const { return plan_; }
  const Kernels& kernels() const { return kernels_; }

 private:
  struct Job {
    const float* from;
    int64_t columns, depth, scaled;
    float scale;
    std::byte* to;
  };
  struct Free {
    void operator()(std::byte* memory) const;
  };

  const Plan& plan_;
  std::span<const TensorView> weights_;
  const Kernels& kernels_;
  std::unique_ptr<std::byte[], Free> memory_;
  size_t size_ = 0, used_ = 0;
  std::vector<Job> jobs_;
};

}  // namespace swinzoo::backends
