// The buffers that one run of the cpu backend needs, made once and reused from run to run.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/kernels.h"
#include "formats/tensor.h"

namespace swinzoo::backends {

// What a step needs of a slot: floats, and rows with places.
struct SlotSize {
  int64_t narrow = 0;
  int64_t wide = 0;
  int64_t places = 0;
};

// A group's own buffers, from its first phase to its last.
class Slot {
 public:
  explicit Slot(const SlotSize& size);

  // What a step's first product reads, as floats or as operands.
  float* narrow() { return narrow_.as<float>().data(); }
  // What is wider: q, k and v; the hidden layer of an MLP.
  float* wide() { return wide_.as<float>().data(); }
  // A row: where it is from and goes back to; -1 is padding.
  int64_t* places() { return places_.data(); }

 private:
  Tensor narrow_, wide_;
  std::vector<int64_t> places_;
};

// Not thread-safe: one run has one.
struct Workspace {
  // value_size: floats of the largest result of a step, for one image or clip; scratch_size: floats that a
  // thread needs besides.
  Workspace(int64_t batch, int64_t threads, int64_t value_size, const SlotSize& slot_size,
            int64_t scratch_size);

  int64_t batch;                // at most
  Tensor current;               // the result of the step before
  Tensor next;                  // the result of a step that can't work in place
  std::vector<Slot> slots;      // a thread
  std::vector<Tensor> scratch;  // a thread
};

}  // namespace swinzoo::backends
