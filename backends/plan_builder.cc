#include "backends/plan_builder.h"

#include <fmt/format.h>

#include <cassert>

namespace swinzoo::backends {
namespace {

std::vector<WeightId> weights_of(const Linear& linear) {
  std::vector<WeightId> weights = {linear.weight};
  weights.insert(weights.end(), linear.bias.begin(), linear.bias.end());
  return weights;
}

}  // namespace

PlanBuilder::PlanBuilder(Shape input) {
  plan_.input = input;
  value(std::move(input));
}

ValueId PlanBuilder::value(Shape shape, bool windowed) {
  plan_.values.push_back({std::move(shape), windowed});
  return static_cast<ValueId>(plan_.values.size()) - 1;
}

WeightId PlanBuilder::weight(const std::string& name, Shape shape) {
  plan_.weights.push_back({name, std::move(shape)});
  return static_cast<WeightId>(plan_.weights.size()) - 1;
}

Norm PlanBuilder::norm(const std::string& scope, int64_t channels) {
  Norm norm;
  norm.weight = weight(scope + ".weight", {channels});
  norm.bias = weight(scope + ".bias", {channels});
  return norm;
}

Linear PlanBuilder::linear(const std::string& scope, int64_t in, int64_t out, bool bias) {
  Linear linear;
  linear.weight = weight(scope + ".weight", {out, in});
  if (bias) linear.bias = {weight(scope + ".bias", {out})};
  return linear;
}

Step& PlanBuilder::step(const std::string& name, ValueId input) {
  Step& step = plan_.steps.emplace_back();
  step.name = name;
  step.input = input;
  return step;
}

ValueId PlanBuilder::op(Step& step, Op op, Shape shape, bool windowed) {
  op.output = value(std::move(shape), windowed);
  step.output = op.output;
  step.ops.push_back(std::move(op));
  return step.output;
}

ValueId PlanBuilder::like_input_op(Step& step, Op op) {
  const Value like = plan_.value(op.inputs.front());
  return this->op(step, std::move(op), like.shape, like.windowed);
}

ValueId PlanBuilder::layer_norm_op(Step& step, const Norm& norm, ValueId input) {
  return like_input_op(step, {.kind = OpKind::kLayerNorm,
                              .inputs = {input},
                              .weights = {norm.weight, norm.bias},
                              .epsilon = norm.epsilon});
}

ValueId PlanBuilder::linear_op(Step& step, const Linear& linear, ValueId input, bool once) {
  Value out = plan_.value(input);
  assert(out.shape.back() == plan_.weight(linear.weight).shape[1]);
  out.shape.back() = plan_.weight(linear.weight).shape[0];
  return op(step, {.kind = OpKind::kLinear, .inputs = {input}, .weights = weights_of(linear), .once = once},
            out.shape, out.windowed);
}

ValueId PlanBuilder::patch_embed(const std::string& scope, ValueId input, int64_t patch, int64_t embed_dim,
                                 int64_t frames) {
  const Shape image = shape(input);
  const Shape patches_of = image.size() == 4 ? Shape{frames, patch, patch} : Shape{patch, patch};
  Shape filters = {embed_dim, image[0]}, grid;
  for (size_t axis = 0; axis < patches_of.size(); ++axis) {
    filters.push_back(patches_of[axis]);
    grid.push_back((image[axis + 1] + patches_of[axis] - 1) / patches_of[axis]);
  }
  grid.push_back(embed_dim);
  PatchEmbed kernel;
  kernel.patch = extents_of(patches_of);
  kernel.projection.weight = weight(scope + ".proj.weight", filters);
  kernel.projection.bias = {weight(scope + ".proj.bias", {embed_dim})};
  kernel.norm = norm(scope + ".norm", embed_dim);
  Step& s = step(scope, input);
  const ValueId patches =
      op(s, {.kind = OpKind::kPatchConv, .inputs = {input}, .weights = weights_of(kernel.projection)}, grid);
  layer_norm_op(s, kernel.norm, patches);
  s.kernel = kernel;
  return s.output;
}

Linear PlanBuilder::qkv_linear(const std::string& scope, int64_t channels, const AttentionOptions& options) {
  if (options.kind != AttentionKind::kSwinV2)
    return linear(scope + ".qkv", channels, 3 * channels, options.qkv_bias);
  Linear qkv = linear(scope + ".qkv", channels, 3 * channels, false);
  if (options.qkv_bias) {
    const WeightId q = weight(scope + ".q_bias", {channels});
    qkv.bias = {q, kNone, weight(scope + ".v_bias", {channels})};
  }
  return qkv;
}

std::variant<WeightId, PositionNetwork> PlanBuilder::position_bias(const std::string& scope,
                                                                   const AttentionOptions& options) {
  // The widths of the networks' hidden layers: timm's swin_transformer_v2.py and swin_transformer_v2_cr.py.
  constexpr int64_t kSwinV2Hidden = 512, kSwinV2CrHidden = 384;
  switch (options.kind) {
    case AttentionKind::kSwinV2:
      return PositionNetwork{linear(scope + ".cpb_mlp.0", 2, kSwinV2Hidden, true),
                             linear(scope + ".cpb_mlp.2", kSwinV2Hidden, options.heads, false),
                             OffsetScale::kSwinV2, options.pretrained_window};
    case AttentionKind::kSwinV2Cr:
      return PositionNetwork{linear(scope + ".meta_mlp.fc1", 2, kSwinV2CrHidden, true),
                             linear(scope + ".meta_mlp.fc2", kSwinV2CrHidden, options.heads, true),
                             OffsetScale::kSwinV2Cr};
    case AttentionKind::kSwin:
      break;
  }
  return weight(scope + ".relative_position_bias_table", {options.windows.offsets(), options.heads});
}

// swinv2_cr's code runs the network for every pair of tokens, swinv2's for every row of the table; a plan
// holds what the code does, so that it counts the same.
ValueId PlanBuilder::position_bias_ops(Step& s, const Attention& kernel) {
  const int64_t tokens = kernel.windows.tokens();
  const Shape bias_shape = {kernel.heads, tokens, tokens};
  const auto once = [&](Op op, Shape shape) {
    op.windows = kernel.windows;
    op.once = true;
    return this->op(s, std::move(op), std::move(shape));
  };
  if (const WeightId* table = std::get_if<WeightId>(&kernel.position_bias)) {
    return once({.kind = OpKind::kPositionBias, .weights = {*table}}, bias_shape);
  }
  const auto& network = std::get<PositionNetwork>(kernel.position_bias);
  const bool pairs = network.scale == OffsetScale::kSwinV2Cr;
  const int64_t rows = pairs ? tokens * tokens : kernel.windows.offsets();
  const Op coordinates = {.kind = pairs ? OpKind::kPairCoordinates : OpKind::kTableCoordinates,
                          .pretrained_window = network.pretrained_window};
  const ValueId hidden = linear_op(s, network.fc1, once(coordinates, {rows, 2}), true);
  const ValueId active = once({.kind = OpKind::kRelu, .inputs = {hidden}}, shape(hidden));
  const ValueId table = linear_op(s, network.fc2, active, true);
  if (pairs) return once({.kind = OpKind::kPairBias, .inputs = {table}}, bias_shape);
  const ValueId bounded = once({.kind = OpKind::kScaledSigmoid, .inputs = {table}}, shape(table));
  return once({.kind = OpKind::kPositionBias, .inputs = {bounded}}, bias_shape);
}

ValueId PlanBuilder::attention(const std::string& block, ValueId input, const AttentionOptions& options) {
  const Shape grid = shape(input);
  const int64_t channels = grid.back();
  const int64_t windows = options.windows.count();
  const int64_t tokens = options.windows.tokens();
  const Shape scores_shape = {windows, options.heads, tokens, tokens};
  const std::string scope = block + ".attn";

  Attention kernel;
  kernel.windows = options.windows;
  kernel.heads = options.heads;
  kernel.norm_last = options.kind != AttentionKind::kSwin;
  kernel.norm = norm(block + ".norm1", channels);
  if (options.kind == AttentionKind::kSwinV2)
    kernel.logit_scale = weight(scope + ".logit_scale", {options.heads, 1, 1});
  if (options.kind == AttentionKind::kSwinV2Cr)
    kernel.logit_scale = weight(scope + ".logit_scale", {options.heads});
  kernel.position_bias = position_bias(scope, options);
  kernel.qkv = qkv_linear(scope, channels, options);
  kernel.projection = linear(scope + ".proj", channels, channels, true);

  Step& s = step(scope, input);
  const ValueId first = kernel.norm_last ? input : layer_norm_op(s, kernel.norm, input);
  const ValueId parts =
      op(s, {.kind = OpKind::kWindowPartition, .inputs = {first}, .windows = options.windows},
         {windows, tokens, channels}, true);
  const ValueId qkv = linear_op(s, kernel.qkv, parts);
  const ValueId scores =
      kernel.logit_scale == kNone
          ? op(s, {.kind = OpKind::kScores, .inputs = {qkv}, .heads = options.heads}, scores_shape, true)
          : op(s,
               {.kind = OpKind::kCosineScores,
                .inputs = {qkv},
                .weights = {kernel.logit_scale},
                .heads = options.heads},
               scores_shape, true);
  const ValueId bias = position_bias_ops(s, kernel);
  const ValueId biased =
      op(s, {.kind = OpKind::kAddBias, .inputs = {scores, bias}, .windows = options.windows}, scores_shape,
         true);
  const ValueId weights = like_input_op(s, {.kind = OpKind::kSoftmax, .inputs = {biased}});
  const ValueId mixed =
      op(s, {.kind = OpKind::kWeightedValues, .inputs = {weights, qkv}, .heads = options.heads},
         {windows, tokens, channels}, true);
  const ValueId projected = linear_op(s, kernel.projection, mixed);
  const ValueId whole =
      op(s, {.kind = OpKind::kWindowReverse, .inputs = {projected}, .windows = options.windows}, grid);
  const ValueId branch = kernel.norm_last ? layer_norm_op(s, kernel.norm, whole) : whole;
  op(s, {.kind = OpKind::kAdd, .inputs = {input, branch}}, grid);
  s.kernel = kernel;
  s.attention = weights;
  output(fmt::format("attention.{}", attentions_++), weights);
  return s.output;
}

ValueId PlanBuilder::mlp(const std::string& block, ValueId input, int64_t hidden, bool norm_last) {
  const int64_t channels = shape(input).back();
  Mlp kernel;
  kernel.norm = norm(block + ".norm2", channels);
  kernel.norm_last = norm_last;
  kernel.fc1 = linear(block + ".mlp.fc1", channels, hidden, true);
  kernel.fc2 = linear(block + ".mlp.fc2", hidden, channels, true);
  Step& s = step(block + ".mlp", input);
  const ValueId first = norm_last ? input : layer_norm_op(s, kernel.norm, input);
  const ValueId wide = linear_op(s, kernel.fc1, first);
  const ValueId active = like_input_op(s, {.kind = OpKind::kGelu, .inputs = {wide}});
  const ValueId narrow = linear_op(s, kernel.fc2, active);
  const ValueId branch = norm_last ? layer_norm_op(s, kernel.norm, narrow) : narrow;
  like_input_op(s, {.kind = OpKind::kAdd, .inputs = {input, branch}});
  s.kernel = kernel;
  return s.output;
}

ValueId PlanBuilder::patch_merging(const std::string& scope, ValueId input, bool norm_last) {
  const Shape grid = shape(input);
  PatchMerging kernel;
  const int64_t channels = grid.back();
  Shape merged_shape = grid;
  const size_t width = grid.size() - 2;
  merged_shape[width - 1] = (grid[width - 1] + 1) / 2;
  merged_shape[width] = (grid[width] + 1) / 2;
  merged_shape.back() = 4 * channels;
  kernel.norm_last = norm_last;
  kernel.norm = norm(scope + ".norm", (norm_last ? 2 : 4) * channels);
  kernel.reduction = linear(scope + ".reduction", 4 * channels, 2 * channels, false);
  Step& s = step(scope, input);
  const ValueId merged = op(s, {.kind = OpKind::kMergePatches, .inputs = {input}}, merged_shape);
  if (norm_last) {
    layer_norm_op(s, kernel.norm, linear_op(s, kernel.reduction, merged));
  } else {
    linear_op(s, kernel.reduction, layer_norm_op(s, kernel.norm, merged));
  }
  s.kernel = kernel;
  return s.output;
}

ValueId PlanBuilder::token_norm(const std::string& scope, ValueId input) {
  const TokenNorm kernel{norm(scope, shape(input).back())};
  Step& s = step(scope, input);
  layer_norm_op(s, kernel.norm, input);
  s.kernel = kernel;
  return s.output;
}

ValueId PlanBuilder::pool(const std::string& name, ValueId input, OpKind kind) {
  Step& s = step(name, input);
  op(s, {.kind = kind, .inputs = {input}}, {shape(input).back()});
  s.kernel = Pool{};
  return s.output;
}

ValueId PlanBuilder::head(const std::string& scope, ValueId input, int64_t classes) {
  const Head kernel{linear(scope, shape(input).back(), classes, true)};
  Step& s = step(scope, input);
  linear_op(s, kernel.linear, input);
  s.kernel = kernel;
  return s.output;
}

void PlanBuilder::output(const std::string& name, ValueId value, bool channels_first) {
  plan_.outputs.push_back({name, value, channels_first});
}

}  // namespace swinzoo::backends
