#include "zoo/random_weights.h"

#include <cmath>
#include <random>

namespace swinzoo::zoo {
namespace {

using backends::OpKind;

class Source {
 public:
  explicit Source(uint32_t seed) : random_(seed) {}

  void fill(std::span<float> values, double mean, double deviation) {
    const double reach = deviation * std::sqrt(3.0);  // of an even spread
    for (float& value : values) {
      value = static_cast<float>(mean + reach * (static_cast<double>(random_()) * 0x1p-31 - 1));
    }
  }

 private:
  std::mt19937 random_;
};

}  // namespace

RandomWeights::RandomWeights(const backends::Plan& plan, uint32_t seed) {
  for (const backends::Weight& weight : plan.weights) tensors_.emplace_back(DType::kF32, weight.shape);
  const auto of = [&](backends::WeightId id) { return tensors_[static_cast<size_t>(id)].as<float>(); };
  Source source(seed);
  std::span<float> last_scales;
  for (const backends::Step& step : plan.steps) {
    for (const backends::Op& op : step.ops) {
      for (size_t i = 0; i < op.weights.size(); ++i) {
        const backends::WeightId id = op.weights[i];
        if (id == backends::kNone) continue;
        const Shape& shape = plan.weight(id).shape;
        if (op.kind == OpKind::kPositionBias) {
          source.fill(of(id), 0, 0.5);
        } else if (op.kind == OpKind::kCosineScores) {
          source.fill(last_scales = of(id), 1.5, 1);
        } else if (i > 0) {
          source.fill(of(id), 0, 0.1);
        } else if (op.kind == OpKind::kLayerNorm) {
          source.fill(of(id), 1, 0.1);
        } else {
          const auto inputs = static_cast<double>(element_count(shape) / shape.front());
          source.fill(of(id), 0, 1 / std::sqrt(inputs));
        }
      }
    }
  }
  if (!last_scales.empty()) last_scales.front() = 5;
}

std::vector<TensorView> RandomWeights::views() const {
  std::vector<TensorView> views;
  for (const Tensor& tensor : tensors_) views.push_back(tensor.view());
  return views;
}

}  // namespace swinzoo::zoo
