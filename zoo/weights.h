// Weights: a checkpoint's tensors matched with the parameters that a plan wants.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/plan.h"
#include "formats/checkpoint.h"

namespace swinzoo::zoo {

// How a checkpoint's tensors match a plan's weights.
struct WeightMatch {
  std::string layout;                         // the name map that fits best (name_map.h)
  std::vector<std::vector<int64_t>> tensors;  // plan.weights[i] is these of checkpoint.tensors(), joined
                                              // along the first axis; empty where one is missing
  std::vector<std::vector<size_t>>
      axes;  // plan.weights[i]'s axis k is axis axes[i][k] of these; empty: as they are
  std::vector<std::string> missing;     // names of weights without a tensor
  std::vector<std::string> misshaped;   // "NAME is [2, 3] instead of [3, 2]", by the names in the file
  std::vector<std::string> buffers;     // tensors left out by rule: what is computed from sizes alone
  std::vector<std::string> unexpected;  // tensors that nothing wants

  bool fits() const { return missing.empty() && misshaped.empty() && unexpected.empty(); }
};

// Tries the family's layouts; the one with the fewest weights missing is taken.
WeightMatch match_weights(const backends::Plan& plan, std::string_view family, const Checkpoint& checkpoint);

// Throws kCorrupt, naming every missing, misshaped and unexpected tensor at once, unless all fits. `where` is
// the file.
void require_fit(const WeightMatch& match, const std::string& where);

// plan.weights[index] as float32 in its canonical shape: straight from the checkpoint's map where that holds
// it so, else in `scratch`, which is replaced. Throws kUnsupported, naming the tensor, for integers.
// REQUIRES: match.fits().
TensorView read_weight(const backends::Plan& plan, size_t index, const Checkpoint& checkpoint,
                       const WeightMatch& match, Tensor& scratch);

// The same, piece by piece in order: few bytes at a time, so that what is done with a piece finds it in the
// processor's cache, and memory stays small where the checkpoint is mapped.
void read_weight_in_pieces(const backends::Plan& plan, size_t index, const Checkpoint& checkpoint,
                           const WeightMatch& match, const std::function<void(std::span<const float>)>& body);

// All weights of a plan. Views live as long as this object and the checkpoint.
class Weights {
 public:
  // REQUIRES: match.fits(). Throws as read_weight.
  Weights(const backends::Plan& plan, const Checkpoint& checkpoint, const WeightMatch& match);

  const std::vector<TensorView>& views() const { return views_; }

 private:
  std::vector<Tensor> made_;
  std::vector<TensorView> views_;
};

}  // namespace swinzoo::zoo
