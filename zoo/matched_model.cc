#include "zoo/matched_model.h"

#include <algorithm>

#include "zoo/architecture.h"

namespace swinzoo::zoo {

MatchedModel match_model(OpenedModel opened) {
  backends::Plan plan = build_plan(opened.spec);
  WeightMatch match = match_weights(plan, opened.spec.dimensions.family, *opened.checkpoint);
  return {std::move(opened), std::move(plan), std::move(match)};
}

bool has_identity_norm(const backends::Plan& plan, const WeightMatch& match, const Checkpoint& checkpoint) {
  int found = 0;
  for (size_t i = 0; i < plan.weights.size(); ++i) {
    const std::string& name = plan.weights[i].name;
    if (name != "norm.weight" && name != "norm.bias") continue;
    Tensor scratch;
    const float identity = name == "norm.weight" ? 1.0f : 0.0f;
    const TensorView view = read_weight(plan, i, checkpoint, match, scratch);
    if (!std::ranges::all_of(view.as<float>(), [&](float value) { return value == identity; })) return false;
    ++found;
  }
  return found == 2;
}

bool is_said_to_have_identity_norm(const ModelSpec& spec) {
  return spec.collection == "sayakpaul/swin/1" && spec.num_classes == 0;
}

}  // namespace swinzoo::zoo
