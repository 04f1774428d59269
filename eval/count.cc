#include "eval/count.h"

#include "formats/error.h"
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

[[noreturn]] void fail_too_many() {
  fail(ErrorCode::kUnsupported, "the model's operations are too many to count");
}

int64_t times(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) fail_too_many();
  return product;
}

void add(int64_t& sum, int64_t term) {
  if (__builtin_add_overflow(sum, term, &sum)) fail_too_many();
}

OpCount count_op(const Plan& plan, const Op& op) {
  const int64_t elements = element_count(plan.value(op.output).shape);
  switch (op.kind) {
    case OpKind::kPatchConv: {
      const Shape& kernel = plan.weight(op.weights[0]).shape;
      return {"conv", times(elements, element_count(kernel) / kernel[0]), elements};
    }
    case OpKind::kLinear:
      return {"linear", times(elements, plan.weight(op.weights[0]).shape[1]), elements};
    case OpKind::kScores:
    case OpKind::kCosineScores: {  // depth: the size of a head; the input holds q, k and v
      const int64_t channels = plan.value(op.inputs[0]).shape.back() / 3;
      return {"matmul", times(elements, channels / op.heads), elements};
    }
    case OpKind::kWeightedValues: {  // depth: the tokens of a window
      const int64_t tokens = plan.value(op.inputs[0]).shape.back();
      return {"matmul", times(elements, tokens), elements};
    }
    case OpKind::kLayerNorm:
      return {"layer_norm", times(5, elements), 0};
    case OpKind::kAveragePool:
      return {"adaptive_avg_pool2d", element_count(plan.value(op.inputs[0]).shape), 0};
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
      add(mine.macs, counted.macs);
      add(mine.activations, counted.activations);
      if (!op.once) add(mine.macs_each_run, counted.macs);
      if (counted.fvcore_name != nullptr) add(total.by_operator[counted.fvcore_name], counted.macs);
      for (const backends::WeightId id : op.weights) {
        if (id != backends::kNone) add(mine.params, element_count(plan.weight(id).shape));
      }
    }
    add(total.params, mine.params);
    add(total.macs, mine.macs);
    add(total.macs_each_run, mine.macs_each_run);
    add(total.activations, mine.activations);
  }
  return total;
}

int64_t torch_flops(const Count& count) {
  int64_t flops = 0;
  for (const char* name : {"conv", "linear", "matmul"}) {
    const auto found = count.by_operator.find(name);
    if (found != count.by_operator.end()) add(flops, times(2, found->second));
  }
  return flops;
}

}  // namespace swinzoo::eval
