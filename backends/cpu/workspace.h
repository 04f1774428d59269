// The buffers that one run of the cpu backend needs, planned from the plan and reused from run to run.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "backends/plan.h"
#include "formats/tensor.h"

namespace swinzoo::backends {

// Not thread-safe: one run has one. Sizes are for the largest step of the plan at `batch`.
struct Workspace {
  Workspace(const Plan& plan, int64_t batch, int threads, int64_t tile_elements);

  int64_t batch;
  Tensor current;  // the result of the step before
  Tensor next;     // the result of a step that can't work in place
  Tensor normed;   // what a step's first product reads, in its order; attention's heads side by side
  Tensor wide;     // q, k and v; the hidden layer of an MLP
  std::vector<Tensor> tiles;      // a thread: a tile of a product on its way to being added
  std::vector<Tensor> attention;  // a thread: the attention weights of one head of one window
};

// Workspaces that are not in use. Thread-safe.
class WorkspacePool {
 public:
  // One for at least this batch, where there is one.
  std::unique_ptr<Workspace> take(int64_t batch);
  void give_back(std::unique_ptr<Workspace> workspace);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace swinzoo::backends
