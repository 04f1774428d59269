#include "zoo/weights.h"

#include <algorithm>
#include <array>
#include <map>

#include "formats/error.h"

namespace swinzoo::zoo {
namespace {

// Buffers that older files carry beside their parameters; plans compute them.
bool is_computed_buffer(std::string_view name) {
  static constexpr std::array<std::string_view, 2> kEndings = {"relative_position_index", "attn_mask"};
  return std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view e) { return name.ends_with(e); });
}

void append(std::string& message, const char* what, const std::vector<std::string>& names) {
  constexpr size_t kMost = 20;
  if (names.empty()) return;
  message += fmt::format("\n  {} {}: {}", names.size(), what,
                         fmt::join(names.begin(), names.begin() + static_cast<ptrdiff_t>(std::min(kMost, names.size())), ", "));
  if (names.size() > kMost) message += ", ...";
}

}  // namespace

WeightMatch match_weights(const backends::Plan& plan, const Checkpoint& checkpoint) {
  const auto& tensors = checkpoint.tensors();
  std::map<std::string_view, int64_t> by_name;
  for (size_t i = 0; i < tensors.size(); ++i) by_name.emplace(tensors[i].name, static_cast<int64_t>(i));

  WeightMatch match;
  for (const backends::Weight& weight : plan.weights) {
    const auto found = by_name.find(weight.name);
    match.tensors.push_back(found == by_name.end() ? -1 : found->second);
    if (found == by_name.end()) {
      match.missing.push_back(weight.name);
      continue;
    }
    const Shape& shape = tensors[static_cast<size_t>(found->second)].shape;
    if (shape != weight.shape) {
      match.misshaped.push_back(
          fmt::format("{} is {} instead of {}", weight.name, to_string(shape), to_string(weight.shape)));
    }
    by_name.erase(found);
  }
  for (const auto& [name, tensor] : by_name) {
    (is_computed_buffer(name) ? match.buffers : match.unexpected).emplace_back(name);
  }
  return match;
}

void require_fit(const WeightMatch& match, const std::string& where) {
  if (match.fits()) return;
  std::string message = where + ": its tensors do not fit the model";
  append(message, "missing", match.missing);
  append(message, "of another shape", match.misshaped);
  append(message, "unexpected", match.unexpected);
  throw Error(ErrorCode::kCorrupt, message);
}

TensorView read_f32(const Checkpoint& checkpoint, size_t index, Tensor& scratch) {
  const TensorView view = checkpoint.read(index, scratch);
  if (view.dtype == DType::kF32) return view;
  try {
    scratch = to_f32(view);
  } catch (const Error& error) {
    fail(error.code(), "tensor {}: {}", checkpoint.tensors()[index].name, error.what());
  }
  return scratch.view();
}

Weights::Weights(const backends::Plan& plan, const Checkpoint& checkpoint, const WeightMatch& match) {
  scratches_.resize(plan.weights.size());
  for (size_t i = 0; i < plan.weights.size(); ++i) {
    views_.push_back(read_f32(checkpoint, static_cast<size_t>(match.tensors[i]), scratches_[i]));
  }
}

}  // namespace swinzoo::zoo
