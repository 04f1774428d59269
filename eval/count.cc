#include "eval/count.h"

#include "formats/tensor.h"

namespace swinzoo::eval {
namespace {

using backends::Op;
using backends::OpKind;
using backends::Plan;

struct OpCount {
  const char* fvcore_name;  // null for what fvcore does not count
  int64_t macs;
  int64_t activations;
};

OpCount count_op(const Plan& plan, const Op& op) {
  const int64_t elements = element_count(plan.value(op.output).shape);
  switch (op.kind) {
    case OpKind::kPatchConv: {
      const Shape& kernel = plan.weight(op.weights[0]).shape;
      return {"conv", elements * (element_count(kernel) / kernel[0]), elements};
    }
    case OpKind::kLinear:
      return {"linear", elements * plan.weight(op.weights[0]).shape[1], elements};
    case OpKind::kScores: {  // depth: the size of a head; the input holds q, k and v
      const int64_t channels = plan.value(op.inputs[0]).shape.back() / 3;
      return {"matmul", elements * (channels / op.heads), elements};
    }
    case OpKind::kWeightedValues: {  // depth: the tokens of a window
      const int64_t tokens = plan.value(op.inputs[0]).shape.back();
      return {"matmul", elements * tokens, elements};
    }
    case OpKind::kLayerNorm:
      return {"layer_norm", 5 * elements, 0};
    default:
      return {nullptr, 0, 0};
  }
}

}  // namespace

Count count(const Plan& plan) {
  Count total;
  for (const backends::Step& step : plan.steps) {
    StepCount& mine = total.by_step.emplace_back();
    mine.name = step.name;
    for (const Op& op : step.ops) {
      const OpCount counted = count_op(plan, op);
      mine.macs += counted.macs;
      mine.activations += counted.activations;
      if (!op.once) total.macs_each_run += counted.macs;
      if (counted.fvcore_name != nullptr) total.by_operator[counted.fvcore_name] += counted.macs;
      for (const backends::WeightId id : op.weights) {
        if (id != backends::kNone) mine.params += element_count(plan.weight(id).shape);
      }
    }
    total.params += mine.params;
    total.macs += mine.macs;
    total.activations += mine.activations;
  }
  return total;
}

}  // namespace swinzoo::eval
