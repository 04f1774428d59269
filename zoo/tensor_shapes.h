// What a checkpoint's tensors are, asked by canonical names: how spec_from_tensors looks at a file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "formats/checkpoint.h"
#include "zoo/name_map.h"

namespace swinzoo::zoo {

// A checkpoint's tensors by their names: a file may have hundreds of thousands, and be asked for each. The
// checkpoint must outlive this.
class NamedTensors {
 public:
  explicit NamedTensors(const Checkpoint& checkpoint);

  const Checkpoint& checkpoint() const { return checkpoint_; }

  // The index of a tensor, or -1.
  int64_t find(std::string_view name) const;

 private:
  const Checkpoint& checkpoint_;
  std::unordered_map<std::string_view, int64_t> by_name_;
};

// A checkpoint of one layout, both of which must outlive this.
class TensorShapes {
 public:
  TensorShapes(const NamedTensors& tensors, const Layout& layout) : tensors_(tensors), layout_(layout) {}

  // The tensor that a weight of that rank is, or the first where several make it up; -1 if it is missing.
  int64_t index_of(const std::string& canonical, size_t rank) const;

  // The canonical shape of a weight of that rank (of one part, where several make it up); nothing if it is
  // missing or of another rank.
  std::optional<Shape> find(const std::string& canonical, size_t rank) const;

  // The first element of a float32 tensor; nothing if there is no such tensor.
  std::optional<float> first_element(const std::string& canonical) const;

  bool has(const std::string& canonical, size_t rank) const { return find(canonical, rank).has_value(); }

 private:
  const NamedTensors& tensors_;
  const Layout& layout_;
};

// The input's shape that a SavedModel's signature names ("[-1, 224, 224, 3]"), if it has that rank.
std::optional<Shape> signature_shape(const Checkpoint& checkpoint, size_t rank, const std::string& where);

}  // namespace swinzoo::zoo
