// A plan's steps as the cpu backend runs them: one class a kind of step, prepared once at load.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "backends/cpu/packed_weights.h"
#include "backends/cpu/workspace.h"
#include "backends/plan.h"

namespace swinzoo::backends {

// One run, as its steps see it.
struct StepRun {
  const Kernels& kernels;
  int64_t batch;
  int64_t threads;   // of the arena in which the steps run
  const float* x;    // the input
  float* attention;  // where the step's attention weights go; null where nobody asks
  Workspace& workspace;

  float* current() const { return workspace.current.as<float>().data(); }
  float* next() const { return workspace.next.as<float>().data(); }
  Slot& slot(int64_t index) const { return workspace.slots[static_cast<size_t>(index)]; }
};

// Immutable once loaded; run() may be called from several threads at once, each with a workspace of its own.
class CpuStep {
 public:
  virtual ~CpuStep() = default;

  // Reads workspace.current, the result of the step before, and leaves its own there. Allocates nothing.
  virtual void run(const StepRun& run) const = 0;

  // What it needs of each slot and of each thread's scratch, whatever the batch.
  virtual SlotSize slot_size() const { return {}; }
  virtual int64_t scratch_size() const { return 0; }
};

// Elements between two rows of a buffer in a slot: whole blocks of operands and one more, so that rows whose
// length is a power of two do not fall on each other's places in the cache.
inline int64_t padded_stride(int64_t columns) {
  return (columns + kOperandBlock - 1) / kOperandBlock * kOperandBlock + kOperandBlock;
}

// Rows that a buffer of operands has room for: products read whole tiles.
inline int64_t padded_rows(int64_t rows) { return (rows + 15) / 16 * 16; }

// One function a kind of step. They ask `weights` for what they need, which is packed after the last of them.
std::unique_ptr<CpuStep> load_patch_embed(const Step& step, const PatchEmbed& kernel, PackedWeights& weights);
std::unique_ptr<CpuStep> load_attention(const Step& step, const Attention& kernel, PackedWeights& weights);
std::unique_ptr<CpuStep> load_mlp(const Step& step, const Mlp& kernel, PackedWeights& weights);
std::unique_ptr<CpuStep> load_patch_merging(const Step& step, const PatchMerging& kernel,
                                            PackedWeights& weights);
std::unique_ptr<CpuStep> load_token_norm(const Step& step, const TokenNorm& kernel, PackedWeights& weights);
std::unique_ptr<CpuStep> load_pool(const Step& step, PackedWeights& weights);
std::unique_ptr<CpuStep> load_head(const Step& step, const Head& kernel, PackedWeights& weights);

}  // namespace swinzoo::backends
