// Where in an image a model looks: attention weights brought back from windows to the image.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backends/plan.h"

namespace swinzoo::eval {

// A figure for each token of a stage's grid, row by row.
struct TokenMap {
  int64_t height = 0;
  int64_t width = 0;
  int64_t patches = 1;  // on a token's side
  std::vector<float> values;
};

// How many blocks have attention weights: the outputs attention.0 to attention.<blocks - 1>.
size_t attention_blocks(const backends::Plan& plan);

// How much attention each token of a block's grid gets from the tokens of its window: the mean over heads and
// queries, so that 1 / tokens of a window is what each gets where all get the same. What goes to padding is
// shared out among the window's tokens, as the others' weights are. `weights` is the output attention.<block>
// for one image. Throws kUnsupported for clips. REQUIRES: block < attention_blocks(plan).
TokenMap block_attention(const backends::Plan& plan, size_t block, std::span<const float> weights);

// Attention rollout (arXiv 2005.00928) on a pyramid: how much each token of the first stage's grid counts for
// the pooled features, in all 1, where a block mixes its tokens by half its attention weights (mean over
// heads) and half the identity, for the residual path, and a merging shares among the tokens that it merges.
// weights[i] is attention.<i> for one image. Throws as block_attention.
TokenMap rolled_out_attention(const backends::Plan& plan, std::span<const std::span<const float>> weights);

}  // namespace swinzoo::eval
