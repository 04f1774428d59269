// MatchedModel: a checkpoint and the plan that its tensors are the weights of, read one by one.
#pragma once

#include "backends/plan.h"
#include "zoo/model.h"
#include "zoo/weights.h"

namespace swinzoo::zoo {

struct MatchedModel {
  OpenedModel opened;
  backends::Plan plan;
  WeightMatch match;

  // plan.weights[index]; see read_weight. REQUIRES: the match has all of that weight.
  TensorView read(size_t index, Tensor& scratch) const {
    return read_weight(plan, index, *opened.checkpoint, match, scratch);
  }

  // Lets the system take back the memory that the weight's pages hold.
  void release(size_t index) const {
    for (const int64_t part : match.tensors[index]) opened.checkpoint->release(static_cast<size_t>(part));
  }
};

// Throws as build_plan and match_weights. The match may not fit.
MatchedModel match_model(OpenedModel opened);

// Whether the norm before the pooling, where the model has one, only normalises: weights 1 and biases 0.
// REQUIRES: match.fits().
bool has_identity_norm(const backends::Plan& plan, const WeightMatch& match, const Checkpoint& checkpoint);

// Whether an entry's files are said to have such a norm. The `_fe` exports of sayakpaul/swin/1 are: their
// convert script loads the norm's weights into another layer where there is no head
// (sayakpaul/swin-transformers-tf, convert.py: layers[-2]).
bool is_said_to_have_identity_norm(const ModelSpec& spec);

}  // namespace swinzoo::zoo
