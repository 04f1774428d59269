// The plan: what a model computes, as plain data.
//
// A plan is a list of steps, each a region worth fusing, named as its weights are (`layers.2.blocks.3.attn`).
// A step holds the primitive operations inside it, with their shapes. That list is authoritative: the
// reference backend runs it operation by operation and the counter sums it; the cpu backend runs a step as
// one kernel, from the step's own parameters, and is tested against the list. Plans are made by PlanBuilder
// and are immutable afterwards, so they can be shared between threads. Everything here is for one image or
// clip: batches stand in front (see Value).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "backends/masked_score.h"
#include "formats/tensor.h"

namespace swinzoo::backends {

// Indexes into Plan::values and Plan::weights; -1 where there is none.
using ValueId = int;
using WeightId = int;
inline constexpr int kNone = -1;

// A float32 intermediate result.
struct Value {
  Shape shape;  // of one image
  bool windowed =
      false;  // the first extent counts windows: a batch of n multiplies it; else n stands in front
};

// The value's shape for a batch.
Shape batched_shape(const Value& value, int64_t batch);

// A parameter in the canonical file: timm's name, shape and layout.
struct Weight {
  std::string name;
  Shape shape;
};

// Depth, height and width of what may have no depth: images have depth 1.
using Extents = std::array<int64_t, 3>;
Extents extents_of(std::span<const int64_t> sizes);  // [depth, height, width] or [height, width]

// A grid of tokens cut into windows, after a cyclic shift (section 3.2 of arXiv 2103.14030). A grid that the
// window does not divide is padded at its end.
struct Windows {
  Extents grid;
  Extents window;
  Extents shift;
  // The window that the position biases are made for, where a grid smaller than it made `window` smaller and
  // left the biases as they are: Video Swin.
  std::optional<Extents> full_window = std::nullopt;
  // The order matters only where both happen: timm shifts the grid first, and padding lies at its end; Video
  // Swin's authors pad it first, and the shift moves the padding too.
  bool pads_first = false;

  const Extents& bias_window() const { return full_window ? *full_window : window; }

  int64_t tokens() const { return window[0] * window[1] * window[2]; }  // a window
  int64_t count() const;                                                // windows
  int64_t offsets() const;  // between two tokens of a window: the rows of a position bias table
  bool shifted() const { return shift[0] + shift[1] + shift[2] > 0; }
};

// For each window and token, window by window, the row of the grid (depth, height, width) that it holds; -1
// is padding.
std::vector<int32_t> window_rows(const Windows& windows);

// For each window and token, a label: tokens of one window attend to each other only where labels are equal,
// since the cyclic shift brings regions together that are no neighbours. REQUIRES: shifted().
std::vector<int32_t> shift_regions(const Windows& windows);

// For each pair of the first `tokens` tokens of a window, the row of its position bias table: [tokens x
// tokens]. Rows run over the offsets between two tokens, depth, height, width, each from 1 - extent to extent
// -
// 1. A smaller window has the biases of a full window's first tokens, which are those of other places where
// its height or width is smaller; so do the authors (relative_position_index[:N, :N]).
std::vector<int32_t> relative_position_index(const Extents& window, int64_t tokens);

enum class OpKind : uint8_t {
  kPatchConv,        // [chans, (D,) H, W] -> [(D,) rows, cols, out]: convolution whose stride is its kernel;
                     // what the kernel does not divide is padded
  kLayerNorm,        // over the last extent
  kWindowPartition,  // [.., channels] of the grid -> [windows, tokens, channels], padding zero
  kLinear,           // over the last extent, weights [out, in]
  kScores,  // [windows, tokens, 3 channels] -> [windows, heads, tokens, tokens]: q k^T / sqrt(head size)
  kCosineScores,      // the same with q and k at unit length: q k^T exp(min(logit scale, log 100))
  kTableCoordinates,  // [rows, 2]: for each row of a position bias table, its offset as swinv2 scales it
  kPairCoordinates,   // [tokens x tokens, 2]: for each pair of tokens, its offset as swinv2_cr scales it
  kRelu,              //
  kScaledSigmoid,     // 16 / (1 + exp(-x))
  kPositionBias,      // table [rows, heads], a weight or an input -> [heads, tokens, tokens]
  kPairBias,          // [tokens x tokens, heads] -> [heads, tokens, tokens]
  kAddBias,           // scores + position bias, + kMaskedScore between regions where the windows are shifted
  kSoftmax,           // over the last extent
  kWeightedValues,  // attention [windows, heads, tokens, tokens] and [windows, tokens, 3 channels]: attention
                    // v
  kWindowReverse,   // kWindowPartition backwards
  kAdd,             //
  kGelu,            // x Phi(x), with erf
  kMergePatches,    // [.., H, W, channels] -> [.., H/2, W/2, 4 channels]: 2 x 2 neighbours, height fastest;
                    // odd sizes padded
  kMeanPool,        // [.., channels] -> [channels]
  kAveragePool,     // the same by a pooling layer of the reference's, which fvcore counts
};

// The name that `info --plan` prints.
std::string_view name_of(OpKind kind);

// A primitive operation. Which fields it uses follows from its kind.
struct Op {
  OpKind kind;
  std::vector<ValueId> inputs = {};
  ValueId output = kNone;
  std::vector<WeightId> weights = {};  // as in the step's kernel; see Linear for a bias in parts
  int64_t heads = 0;
  Windows windows{};
  int64_t pretrained_window = 0;  // kTableCoordinates: see PositionNetwork
  double epsilon = 0;
  bool once = false;  // depends on weights only: done at load, whatever the batch
};

// The parameters of a step's kernel, one struct a kind of step.
struct Norm {
  WeightId weight = kNone;
  WeightId bias = kNone;
  double epsilon = 1e-5;  // torch.nn.LayerNorm's default, which timm's Swin and the authors' keep
};

struct Linear {
  WeightId weight = kNone;
  std::vector<WeightId> bias;  // of equal parts of the result: none, one, or q's, k's and v's; kNone is zeros
};

// Convolution by patches, then a norm.
struct PatchEmbed {
  Linear projection;
  Norm norm;
  Extents patch{};
};

// How the offset between two tokens (height, width) is scaled for a network that gives position biases.
enum class OffsetScale : uint8_t {
  kSwinV2,    // by its window's reach to 8, then sign(x) log2(1 + |x|) / log2(8): section 3.3 of arXiv
              // 2111.09883
  kSwinV2Cr,  // sign(x) log(1 + |x|), in tokens
};

// A network over scaled offsets: fc2(relu(fc1(offset))), a bias a head. swinv2 takes 16 sigmoid of that.
struct PositionNetwork {
  Linear fc1;  // 2 -> hidden
  Linear fc2;  // hidden -> heads
  OffsetScale scale = OffsetScale::kSwinV2;
  int64_t pretrained_window = 0;  // kSwinV2: the window whose reach scales; 0 is the window itself
};

// An offset on one axis, in tokens, as the network takes it. `window` is the window's extent on that axis.
double scaled_offset(OffsetScale scale, int64_t offset, int64_t window, int64_t pretrained_window);

// x + projection(window attention(norm(x))), or x + norm(projection(window attention(x))).
struct Attention {
  Norm norm;
  bool norm_last = false;
  Windows windows{};
  int64_t heads = 0;
  Linear qkv;
  Linear projection;
  WeightId logit_scale = kNone;  // cosine attention's, a head; kNone: 1 / sqrt(head size)
  std::variant<WeightId, PositionNetwork> position_bias;  // a table [rows, heads], or what gives one
};

// x + fc2(gelu(fc1(norm(x)))), or x + norm(fc2(gelu(fc1(x)))).
struct Mlp {
  Norm norm;
  bool norm_last = false;
  Linear fc1;
  Linear fc2;
};

// reduction(norm(2 x 2 neighbours side by side)), or norm(reduction(the same)).
struct PatchMerging {
  Norm norm;
  bool norm_last = false;
  Linear reduction;
};

// norm(x), each token by itself.
struct TokenNorm {
  Norm norm;
};

// The mean over all tokens.
struct Pool {};

// The classifier.
struct Head {
  Linear linear;
};

struct Step {
  std::string name;
  std::variant<PatchEmbed, Attention, Mlp, PatchMerging, TokenNorm, Pool, Head> kernel;
  ValueId input = kNone;
  ValueId output = kNone;
  ValueId attention = kNone;  // Attention only: the weights after softmax
  std::vector<Op> ops;
};

// "patch_embed", "attention", "mlp", "patch_merging", "norm", "pool" or "head".
std::string_view kind_of(const Step& step);

// A result that can be asked for.
struct Output {
  std::string name;  // "logits", "embedding", "features", "feature_map.i", "attention.i"
  ValueId value = kNone;
  bool channels_first = false;  // handed out as [batch, channels, ..]; the value itself is [.., channels]
};

struct Plan {
  Shape input;  // of one image: [channels, height, width], or one clip: [channels, frames, height, width]
  std::vector<Value> values;
  std::vector<Weight> weights;
  std::vector<Step> steps;
  std::vector<Output> outputs;

  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  const Weight& weight(WeightId id) const { return weights[static_cast<size_t>(id)]; }

  // Null where the plan has no such output.
  const Output* find_output(std::string_view name) const;

  // The input's shape for a batch.
  Shape input_shape(int64_t batch) const;

  // An output's shape for a batch, as it is handed out.
  Shape output_shape(const Output& output, int64_t batch) const;
};

}  // namespace swinzoo::backends
