// Weights: a checkpoint's tensors matched with the parameters that a plan wants.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/plan.h"
#include "formats/checkpoint.h"

namespace swinzoo::zoo {

// How a checkpoint's tensors match a plan's weights.
struct WeightMatch {
  std::vector<int64_t> tensors;         // plan.weights[i] is checkpoint.tensors()[tensors[i]]; -1 where it is missing
  std::vector<std::string> missing;     // names of weights without a tensor
  std::vector<std::string> misshaped;   // "NAME: [2, 3] in the file, [3, 2] expected"
  std::vector<std::string> buffers;     // tensors left out by rule: what is computed from sizes alone
  std::vector<std::string> unexpected;  // tensors that nothing wants

  bool fits() const { return missing.empty() && misshaped.empty() && unexpected.empty(); }
};

WeightMatch match_weights(const backends::Plan& plan, const Checkpoint& checkpoint);

// Throws kCorrupt, naming every missing, misshaped and unexpected tensor at once, unless all fits. `where` is the file.
void require_fit(const WeightMatch& match, const std::string& where);

// checkpoint.tensors()[index] as float32: straight from the checkpoint's map where it holds that, else in
// `scratch`, which is replaced. Throws kUnsupported, naming the tensor, for integers.
TensorView read_f32(const Checkpoint& checkpoint, size_t index, Tensor& scratch);

// The tensors of a plan's weights as float32: straight from the checkpoint's map where it holds float32. Views live as
// long as this object and the checkpoint.
class Weights {
 public:
  // REQUIRES: match.fits(). Throws as read_f32.
  Weights(const backends::Plan& plan, const Checkpoint& checkpoint, const WeightMatch& match);

  const std::vector<TensorView>& views() const { return views_; }

 private:
  std::vector<Tensor> scratches_;
  std::vector<TensorView> views_;
};

}  // namespace swinzoo::zoo
