#include "zoo/tensor_shapes.h"

#include "formats/json.h"

namespace swinzoo::zoo {

NamedTensors::NamedTensors(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {
  const std::vector<TensorInfo>& tensors = checkpoint.tensors();
  by_name_.reserve(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) by_name_.emplace(tensors[i].name, static_cast<int64_t>(i));
}

int64_t NamedTensors::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? -1 : found->second;
}

int64_t TensorShapes::index_of(const std::string& canonical, size_t rank) const {
  return tensors_.find(place_in(layout_, canonical, Shape(rank)).names.front());
}

std::optional<Shape> TensorShapes::find(const std::string& canonical, size_t rank) const {
  const WeightPlace place = place_in(layout_, canonical, Shape(rank));
  const int64_t index = tensors_.find(place.names.front());
  if (index < 0) return std::nullopt;
  const Shape& found = tensors_.checkpoint().tensors()[static_cast<size_t>(index)].shape;
  if (found.size() != rank) return std::nullopt;
  if (place.axes.empty()) return found;
  Shape shape;
  for (const size_t axis : place.axes) shape.push_back(found[axis]);
  return shape;
}

std::optional<float> TensorShapes::first_element(const std::string& canonical) const {
  const int64_t index = tensors_.find(place_in(layout_, canonical, {}).names.front());
  if (index < 0) return std::nullopt;
  Tensor scratch;
  const TensorView view = tensors_.checkpoint().read(static_cast<size_t>(index), scratch);
  if (view.dtype != DType::kF32 || view.bytes.empty()) return std::nullopt;
  return view.as<float>()[0];
}

std::optional<Shape> signature_shape(const Checkpoint& checkpoint, size_t rank, const std::string& where) {
  const auto found = checkpoint.metadata().find("signature.input_shape");
  if (found == checkpoint.metadata().end()) return std::nullopt;
  const json::value parsed = parse_json(found->second, where + ": signature");
  Shape shape;
  for (const json::value& extent : as_array(parsed, where + ": signature")) {
    shape.push_back(as_int(extent, where + ": signature"));
  }
  return shape.size() == rank ? std::optional(shape) : std::nullopt;
}

}  // namespace swinzoo::zoo
