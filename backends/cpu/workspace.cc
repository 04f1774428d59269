#include "backends/cpu/workspace.h"

namespace swinzoo::backends {
namespace {

Tensor floats(int64_t count) { return Tensor(DType::kF32, {count + kSlack}); }

}  // namespace

Slot::Slot(const SlotSize& size)
    : narrow_(floats(size.narrow)), wide_(floats(size.wide)), places_(static_cast<size_t>(size.places)) {}

Workspace::Workspace(int64_t most_images, int64_t threads, int64_t value_size, const SlotSize& slot_size,
                     int64_t scratch_size)
    : batch(most_images), current(floats(batch * value_size)), next(floats(batch * value_size)) {
  for (int64_t t = 0; t < threads; ++t) {
    slots.emplace_back(slot_size);
    scratch.push_back(floats(scratch_size));
  }
}

}  // namespace swinzoo::backends
