#include "backends/plan_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "formats/error.h"

namespace swinzoo::backends {
namespace {

std::string to_text(const Value& value) {
  return (value.windowed ? "windows x " : "") + to_string(value.shape);
}

// One operation beside what it should be. Its methods throw, naming it.
class OpCheck {
 public:
  OpCheck(const Plan& plan, const Op& op, std::string where)
      : plan_(plan), op_(op), where_(std::move(where)) {}

  // What the operation's inputs and weights make.
  Value result() const {
    switch (op_.kind) {
      case OpKind::kPatchConv:
        return patches();
      case OpKind::kLayerNorm:
        require(op_.weights.size() == 2 && weight(0) == Shape{last()} && weight(1) == Shape{last()},
                "the norm's weights fit the channels");
        return only_input();
      case OpKind::kWindowPartition:
        require(!only_input().windowed && grid_of(only_input().shape) == windows().grid,
                "the input is the grid that the windows cut");
        return {{windows().count(), windows().tokens(), last()}, true};
      case OpKind::kWindowReverse:
        return grid();
      case OpKind::kLinear:
        return product();
      case OpKind::kCosineScores:
        require(op_.weights.size() == 1 && element_count(weight(0)) == op_.heads,
                "there is one scale a head");
        return scores();
      case OpKind::kScores:
        return scores();
      case OpKind::kTableCoordinates:
        inputs(0);
        return {{windows().offsets(), 2}};
      case OpKind::kPairCoordinates:
        inputs(0);
        return {{windows().tokens() * windows().tokens(), 2}};
      case OpKind::kPositionBias:
        return bias_of(windows().offsets());
      case OpKind::kPairBias:
        return bias_of(windows().tokens() * windows().tokens());
      case OpKind::kAddBias:
        return biased();
      case OpKind::kWeightedValues:
        return weighted_values();
      case OpKind::kAdd:
        inputs(2);
        require(input(0).shape == input(1).shape && input(0).windowed == input(1).windowed,
                "both inputs have one shape");
        return input(0);
      case OpKind::kRelu:
      case OpKind::kScaledSigmoid:
      case OpKind::kGelu:
      case OpKind::kSoftmax:
        return only_input();
      case OpKind::kMergePatches:
        return merged();
      case OpKind::kMeanPool:
      case OpKind::kAveragePool:
        require(!only_input().windowed, "the input is a grid");
        return {{last()}};
    }
    return {};
  }

  // Throws unless `holds`, which is what `rule` says in words.
  void require(bool holds, std::string_view rule) const {
    if (holds) return;
    std::string found;
    for (const ValueId id : op_.inputs) found += fmt::format(" {}", to_text(plan_.value(id)));
    for (const WeightId id : op_.weights) {
      if (id != kNone)
        found += fmt::format(" {} {}", plan_.weight(id).name, to_string(plan_.weight(id).shape));
    }
    fail(ErrorCode::kCorrupt, "{}: expected that {}; it has:{}", where_, rule,
         found.empty() ? " nothing" : found);
  }

 private:
  const Value& input(size_t i) const { return plan_.value(op_.inputs[i]); }

  const Shape& weight(size_t i) const {
    require(op_.weights[i] != kNone, fmt::format("its weight {} is there", i));
    return plan_.weight(op_.weights[i]).shape;
  }

  const Windows& windows() const {
    const auto positive = [](int64_t extent) { return extent > 0; };
    require(
        std::ranges::all_of(op_.windows.grid, positive) && std::ranges::all_of(op_.windows.window, positive),
        "it has windows");
    return op_.windows;
  }

  void inputs(size_t count) const {
    require(op_.inputs.size() == count, fmt::format("it has {} inputs", count));
  }

  const Value& only_input() const {
    inputs(1);
    require(!input(0).shape.empty(), "the input has an extent");
    return input(0);
  }

  int64_t last() const { return only_input().shape.back(); }

  // Images and clips have grids of two and three extents, whatever the depth.
  static Extents grid_of(const Shape& shape) {
    const bool is_grid = shape.size() == 3 || shape.size() == 4;
    return is_grid ? extents_of(std::span(shape).first(shape.size() - 1)) : Extents{};
  }

  Value patches() const {
    const Shape& image = only_input().shape;
    require(!op_.weights.empty() && op_.weights.size() <= 2 && weight(0).size() == image.size() + 1 &&
                weight(0)[1] == image[0] && (op_.weights.size() == 1 || weight(1) == Shape{weight(0)[0]}),
            "the filters fit the image and the bias the filters");
    Shape shape;
    for (size_t axis = 1; axis < image.size(); ++axis) {
      const int64_t patch = weight(0)[axis + 1];
      require(patch > 0, "patches have a size");
      shape.push_back((image[axis] + patch - 1) / patch);
    }
    shape.push_back(weight(0)[0]);
    return {shape};
  }

  Value grid() const {
    require(only_input().windowed && input(0).shape == Shape{windows().count(), windows().tokens(), last()},
            "the input is the grid's windows");
    const Extents& grid = windows().grid;
    const bool is_clip = plan_.input.size() == 4;
    require(is_clip || grid[0] == 1, "an image has no depth");
    Shape shape(grid.begin() + (is_clip ? 0 : 1), grid.end());
    shape.push_back(last());
    return {shape};
  }

  Value product() const {
    require(
        !op_.weights.empty() && op_.weights[0] != kNone && weight(0).size() == 2 && weight(0)[1] == last(),
        "the matrix fits the input's channels");
    Value value = input(0);
    const int64_t out = value.shape.back() = weight(0)[0];
    const auto parts = static_cast<int64_t>(op_.weights.size()) - 1;
    for (size_t i = 1; i < op_.weights.size(); ++i) {
      require(out % parts == 0 && (op_.weights[i] == kNone || weight(i) == Shape{out / parts}),
              "the parts of the bias are equal parts of the result");
    }
    return value;
  }

  // The channels of one of q, k and v.
  int64_t channels_of(const Value& qkv) const {
    require(qkv.windowed && qkv.shape.size() == 3 && op_.heads > 0 && qkv.shape[2] % (3 * op_.heads) == 0,
            "q, k and v of all heads are [windows, tokens, 3 x channels]");
    return qkv.shape[2] / 3;
  }

  Value scores() const {
    channels_of(only_input());
    const Shape& in = input(0).shape;
    return {{in[0], op_.heads, in[1], in[1]}, true};
  }

  Value bias_of(int64_t rows) const {
    require(op_.inputs.size() + op_.weights.size() == 1, "it has one table");
    const Shape& table = op_.inputs.empty() ? weight(0) : input(0).shape;
    require(table.size() == 2 && table[0] == rows, fmt::format("the table has {} rows", rows));
    return {{table[1], windows().tokens(), windows().tokens()}};
  }

  Value biased() const {
    inputs(2);
    const int64_t tokens = windows().tokens();
    const Shape& bias = input(1).shape;
    require(bias.size() == 3 && !input(1).windowed && input(0).windowed &&
                input(0).shape == Shape{windows().count(), bias[0], tokens, tokens} &&
                bias == Shape{bias[0], tokens, tokens},
            "scores and bias fit the windows");
    return input(0);
  }

  Value weighted_values() const {
    inputs(2);
    const int64_t channels = channels_of(input(1));
    const Shape& values = input(1).shape;
    require(input(0).windowed && input(0).shape == Shape{values[0], op_.heads, values[1], values[1]},
            "the attention is that of the values' windows and heads");
    return {{values[0], values[1], channels}, true};
  }

  Value merged() const {
    Shape shape = only_input().shape;
    require(!input(0).windowed && shape.size() >= 3, "the input is a grid");
    const size_t width = shape.size() - 2;
    shape[width - 1] = (shape[width - 1] + 1) / 2;
    shape[width] = (shape[width] + 1) / 2;
    shape.back() *= 4;
    return {shape};
  }

  const Plan& plan_;
  const Op& op_;
  const std::string where_;
};

// What is known while going through the steps.
class PlanCheck {
 public:
  explicit PlanCheck(const Plan& plan)
      : plan_(plan),
        made_(plan.values.size(), false),
        once_(plan.values.size(), false),
        used_(plan.weights.size(), false) {}

  void run() {
    require(!made_.empty() && plan_.value(0).shape == plan_.input && !plan_.value(0).windowed, "plan",
            "the first value is the input");
    made_[0] = true;
    std::set<std::string_view> names;
    for (const Step& step : plan_.steps) {
      require(names.insert(step.name).second, "step " + step.name, "its name is unique");
      check_step(step);
    }
    check_weights();
    names.clear();
    for (const Output& output : plan_.outputs) {
      const std::string where = "output " + output.name;
      require(names.insert(output.name).second, where, "its name is unique");
      require(is_made(output.value), where, "its value is made");
      require(!output.channels_first || !plan_.value(output.value).windowed, where, "windows stand in front");
    }
  }

 private:
  static void require(bool holds, const std::string& where, std::string_view rule) {
    if (!holds) fail(ErrorCode::kCorrupt, "{}: expected that {}", where, rule);
  }

  bool is_made(ValueId id) const {
    return id >= 0 && static_cast<size_t>(id) < made_.size() && made_[static_cast<size_t>(id)];
  }

  void check_step(const Step& step) {
    const std::string where = "step " + step.name;
    require(is_made(step.input), where, "its input is made before");
    bool makes_output = false, makes_attention = step.attention == kNone;
    for (size_t i = 0; i < step.ops.size(); ++i) {
      const Op& op = step.ops[i];
      check_op(op, fmt::format("{}, operation {} ({})", where, i, name_of(op.kind)));
      makes_output |= op.output == step.output;
      makes_attention |= op.output == step.attention;
    }
    require(makes_output, where, "it makes its output");
    require(makes_attention, where, "it makes its attention");
  }

  void check_op(const Op& op, const std::string& where) {
    bool from_weights = true;
    for (const ValueId id : op.inputs) {
      require(is_made(id), where, fmt::format("value {} is made before", id));
      from_weights = from_weights && once_[static_cast<size_t>(id)];
    }
    for (const WeightId id : op.weights) {
      if (id == kNone) continue;
      require(id >= 0 && static_cast<size_t>(id) < used_.size(), where,
              fmt::format("there is a weight {}", id));
      require(!used_[static_cast<size_t>(id)], where, fmt::format("{} is used once", plan_.weight(id).name));
      used_[static_cast<size_t>(id)] = true;
    }
    require(!op.once || from_weights, where, "what is done once depends on weights only");
    const Value expected = OpCheck(plan_, op, where).result();
    require(op.output >= 0 && static_cast<size_t>(op.output) < made_.size() && !is_made(op.output), where,
            "its output is a value that nothing else makes");
    const Value& found = plan_.value(op.output);
    if (expected.shape != found.shape || expected.windowed != found.windowed) {
      fail(ErrorCode::kCorrupt, "{}: its result is {}; from its inputs and weights follows {}", where,
           to_text(found), to_text(expected));
    }
    made_[static_cast<size_t>(op.output)] = true;
    once_[static_cast<size_t>(op.output)] = op.once;
  }

  void check_weights() const {
    std::set<std::string_view> names;
    for (size_t i = 0; i < plan_.weights.size(); ++i) {
      const std::string where = "weight " + plan_.weights[i].name;
      require(names.insert(plan_.weights[i].name).second, where, "its name is unique");
      require(used_[i], where, "an operation uses it");
    }
  }

  const Plan& plan_;
  std::vector<bool> made_;  // values
  std::vector<bool> once_;  // values that depend on weights only
  std::vector<bool> used_;  // weights
};

}  // namespace

void check_plan(const Plan& plan) { PlanCheck(plan).run(); }

}  // namespace swinzoo::backends
