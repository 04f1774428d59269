#include "backends/cpu/workspace.h"

#include <algorithm>

namespace swinzoo::backends {

Workspace::Workspace(const Plan& plan, int64_t batch_size, int threads, int64_t tile_elements)
    : batch(batch_size) {
  int64_t current_size = 0, normed_size = 0, wide_size = 0, attention_size = 0;
  for (const Step& step : plan.steps) {
    current_size = std::max(current_size, element_count(plan.value(step.output).shape));
    for (const Op& op : step.ops) {
      if (op.once) continue;
      const int64_t size = element_count(plan.value(op.output).shape);
      switch (op.kind) {
        case OpKind::kLayerNorm:
        case OpKind::kWindowPartition:
        case OpKind::kMergePatches:
          normed_size = std::max(normed_size, size);
          break;
        case OpKind::kLinear:
          wide_size = std::max(wide_size, size);
          break;
        case OpKind::kSoftmax: {
          const int64_t tokens = plan.value(op.output).shape.back();
          attention_size = std::max(attention_size, tokens * tokens);
          break;
        }
        default:
          break;
      }
    }
  }
  const auto buffer = [](int64_t elements) { return Tensor(DType::kF32, {elements}); };
  current = buffer(batch * current_size);
  next = buffer(batch * current_size);
  normed = buffer(batch * normed_size);
  wide = buffer(batch * wide_size);
  for (int t = 0; t < threads; ++t) {
    tiles.push_back(buffer(tile_elements));
    attention.push_back(buffer(attention_size));
  }
}

std::unique_ptr<Workspace> WorkspacePool::take(int64_t batch) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(idle_.begin(), idle_.end(), [&](const auto& w) { return w->batch >= batch; });
  if (found == idle_.end()) return nullptr;
  std::unique_ptr<Workspace> workspace = std::move(*found);
  idle_.erase(found);
  return workspace;
}

void WorkspacePool::give_back(std::unique_ptr<Workspace> workspace) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(workspace));
}

}  // namespace swinzoo::backends
