#include "zoo/weights.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "formats/error.h"
#include "zoo/name_map.h"

namespace swinzoo::zoo {
namespace {

// Buffers that older files carry beside their parameters; plans compute them.
bool is_computed_buffer(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kEndings = {
      "relative_position_index", "relative_coords_table", "relative_coordinates_log", "attn_mask"};
  return std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view e) { return name.ends_with(e); });
}

void append(std::string& message, const char* what, const std::vector<std::string>& names) {
  if (!names.empty()) message += fmt::format("\n  {} {}: {}", names.size(), what, listed(names));
}

WeightMatch match_layout(const backends::Plan& plan, const Layout& layout, const Checkpoint& checkpoint) {
  const auto& tensors = checkpoint.tensors();
  std::map<std::string_view, int64_t> by_name;
  for (size_t i = 0; i < tensors.size(); ++i) by_name.emplace(tensors[i].name, static_cast<int64_t>(i));

  WeightMatch match;
  match.layout = layout.name;
  for (const backends::Weight& weight : plan.weights) {
    std::vector<int64_t>& parts = match.tensors.emplace_back();
    const WeightPlace place = place_in(layout, weight.name, weight.shape);
    match.axes.push_back(place.axes);
    Shape part_shape = weight.shape;
    part_shape[0] /= static_cast<int64_t>(place.names.size());
    for (size_t axis = 0; axis < place.axes.size(); ++axis) part_shape[place.axes[axis]] = weight.shape[axis];
    for (const std::string& name : place.names) {
      const auto found = by_name.find(name);
      if (found == by_name.end()) {
        match.missing.push_back(name);
        continue;
      }
      const Shape& shape = tensors[static_cast<size_t>(found->second)].shape;
      if (shape != part_shape) {
        match.misshaped.push_back(
            fmt::format("{} is {} instead of {}", name, to_string(shape), to_string(part_shape)));
      }
      parts.push_back(found->second);
      by_name.erase(found);
    }
  }
  for (const auto& [name, tensor] : by_name) {
    (is_computed_buffer(name) ? match.buffers : match.unexpected).emplace_back(name);
  }
  return match;
}

// checkpoint.tensors()[index] as float32.
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

// The same elements with axis i taken from axis axes[i].
Tensor permuted(const TensorView& from, const std::vector<size_t>& axes) {
  const std::vector<int64_t> from_strides = row_major_strides(from.shape);
  Shape shape;
  std::vector<int64_t> strides;
  for (const size_t axis : axes) {
    shape.push_back(from.shape[axis]);
    strides.push_back(from_strides[axis]);
  }
  return gathered(DType::kF32, shape, strides, from.bytes);
}

}  // namespace

WeightMatch match_weights(const backends::Plan& plan, std::string_view family, const Checkpoint& checkpoint) {
  std::optional<WeightMatch> best;
  for (const Layout& layout : layouts_of(family)) {
    WeightMatch match = match_layout(plan, layout, checkpoint);
    if (!best || match.missing.size() < best->missing.size()) best = std::move(match);
  }
  if (!best) fail(ErrorCode::kUnsupported, "no name map is built for the architecture family '{}'", family);
  return std::move(*best);
}

void require_fit(const WeightMatch& match, const std::string& where) {
  if (match.fits()) return;
  std::string message =
      fmt::format("{}: its tensors do not fit the model (nearest layout: {})", where, match.layout);
  append(message, "missing", match.missing);
  append(message, "of another shape", match.misshaped);
  append(message, "unexpected", match.unexpected);
  throw Error(ErrorCode::kCorrupt, message);
}

TensorView read_weight(const backends::Plan& plan, size_t index, const Checkpoint& checkpoint,
                       const WeightMatch& match, Tensor& scratch) {
  const std::vector<int64_t>& parts = match.tensors[index];
  if (parts.size() == 1) {
    const TensorView whole = read_f32(checkpoint, static_cast<size_t>(parts[0]), scratch);
    if (match.axes[index].empty()) return whole;
    scratch = permuted(whole, match.axes[index]);
    return scratch.view();
  }
  Tensor joined(DType::kF32, plan.weights[index].shape);
  auto to = joined.as<float>().begin();
  for (const int64_t part : parts) {
    const TensorView piece = read_f32(checkpoint, static_cast<size_t>(part), scratch);
    to = std::ranges::copy(piece.as<float>(), to).out;
  }
  scratch = std::move(joined);
  return scratch.view();
}

void read_weight_in_pieces(const backends::Plan& plan, size_t index, const Checkpoint& checkpoint,
                           const WeightMatch& match,
                           const std::function<void(std::span<const float>)>& body) {
  constexpr int64_t kPiece = int64_t{1} << 17;  // floats: 512 KiB, half a core's L2
  Tensor scratch;
  const std::vector<int64_t>& parts = match.tensors[index];
  if (parts.size() == 1 && match.axes[index] == std::vector<size_t>{1, 0}) {
    const TensorView from = read_f32(checkpoint, static_cast<size_t>(parts[0]), scratch);
    const int64_t rows = from.shape[1], columns = from.shape[0];
    const int64_t rows_a_piece = std::max<int64_t>(kPiece / std::max<int64_t>(columns, 1) / 16, 1) * 16;
    Tensor piece(DType::kF32, {std::min(rows, rows_a_piece), columns});
    for (int64_t row = 0; row < rows; row += rows_a_piece) {
      const auto size = static_cast<size_t>(std::min(rows_a_piece, rows - row) * columns);
      transpose_rows(from, row, piece.as<float>().first(size));
      body(piece.as<float>().first(size));
    }
    return;
  }
  std::span<const float> rest = read_weight(plan, index, checkpoint, match, scratch).as<float>();
  do {
    const size_t size = std::min<size_t>(rest.size(), kPiece);
    body(rest.first(size));
    rest = rest.subspan(size);
  } while (!rest.empty());
}

Weights::Weights(const backends::Plan& plan, const Checkpoint& checkpoint, const WeightMatch& match) {
  for (size_t i = 0; i < plan.weights.size(); ++i) {
    Tensor scratch;
    views_.push_back(read_weight(plan, i, checkpoint, match, scratch));
    if (!scratch.bytes().empty()) made_.push_back(std::move(scratch));  // keeps its address
  }
}

}  // namespace swinzoo::zoo
