// PlanBuilder: makes plans, step by step. The one place where a step's parameters become its list of
// operations.
#pragma once

#include <string>

#include "backends/plan.h"

namespace swinzoo::backends {

// Each function adds one step that reads `input` and returns what the step gives. Weights are declared on the
// way, named by `scope`: linear("head.fc", ...) has head.fc.weight and head.fc.bias. Not thread-safe.
class PlanBuilder {
 public:
  // `input` is one image's shape, [channels, height, width], or one clip's: [channels, frames, height,
  // width]. Grids [H, W, channels] below have their depth in front for clips.
  explicit PlanBuilder(Shape input);

  // The image or clip.
  ValueId input() const { return 0; }
  const Shape& shape(ValueId value) const { return plan_.value(value).shape; }

  // [channels, H, W] -> [ceil(H/patch), ceil(W/patch), embed_dim]; a clip's patches are `frames` deep.
  // Weights: SCOPE.proj, SCOPE.norm.
  ValueId patch_embed(const std::string& scope, ValueId input, int64_t patch, int64_t embed_dim,
                      int64_t frames = 1);

  // The three kinds of window attention. They share BLOCK.norm1, BLOCK.attn.{qkv,proj}, and have besides:
  enum class AttentionKind {
    kSwin,      // norm first; dot products; attn.relative_position_bias_table
    kSwinV2,    // norm last; cosines; attn.{logit_scale,cpb_mlp.0,cpb_mlp.2}; q_bias and v_bias instead of
                // qkv.bias
    kSwinV2Cr,  // norm last; cosines; attn.{logit_scale,meta_mlp.fc1,meta_mlp.fc2}
  };
  struct AttentionOptions {
    AttentionKind kind = AttentionKind::kSwin;
    Windows windows;
    int64_t heads;
    bool qkv_bias;
    int64_t pretrained_window = 0;  // kSwinV2: see PositionNetwork
  };
  // [H, W, channels] -> the same. The step's name is BLOCK.attn; its weights after softmax become the output
  // `attention.<number>`.
  ValueId attention(const std::string& block, ValueId input, const AttentionOptions& options);

  // [.., channels] -> the same. Weights: BLOCK.norm2, BLOCK.mlp.{fc1,fc2}. The step's name is BLOCK.mlp.
  ValueId mlp(const std::string& block, ValueId input, int64_t hidden, bool norm_last = false);

  // [H, W, channels] -> [ceil(H/2), ceil(W/2), 2 channels]. Weights: SCOPE.norm, SCOPE.reduction (no bias).
  ValueId patch_merging(const std::string& scope, ValueId input, bool norm_last = false);

  // [.., channels] -> the same. Weights: SCOPE.
  ValueId token_norm(const std::string& scope, ValueId input);

  // [H, W, channels] -> [channels]. kind: kMeanPool or kAveragePool.
  ValueId pool(const std::string& name, ValueId input, OpKind kind = OpKind::kMeanPool);

  // [features] -> [classes]. Weights: SCOPE.
  ValueId head(const std::string& scope, ValueId input, int64_t classes);

  // Names a result that can be asked for, handed out as [.., channels] or as [channels, ..].
  void output(const std::string& name, ValueId value, bool channels_first = false);

  // REQUIRES: called once, last.
  Plan take() { return std::move(plan_); }

 private:
  ValueId value(Shape shape, bool windowed = false);
  WeightId weight(const std::string& name, Shape shape);
  Norm norm(const std::string& scope, int64_t channels);
  Linear linear(const std::string& scope, int64_t in, int64_t out, bool bias);
  Step& step(const std::string& name, ValueId input);

  // The attention's own weights, and the operations that give its position bias, all done once at load.
  Linear qkv_linear(const std::string& scope, int64_t channels, const AttentionOptions& options);
  std::variant<WeightId, PositionNetwork> position_bias(const std::string& scope,
                                                        const AttentionOptions& options);
  ValueId position_bias_ops(Step& step, const Attention& kernel);

  ValueId layer_norm_op(Step& step, const Norm& norm, ValueId input);
  ValueId linear_op(Step& step, const Linear& linear, ValueId input, bool once = false);
  ValueId op(Step& step, Op op, Shape shape, bool windowed = false);
  ValueId like_input_op(Step& step, Op op);

  Plan plan_;
  int attentions_ = 0;
};

}  // namespace swinzoo::backends
