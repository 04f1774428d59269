// A checkpoint of names and shapes, and values where a test gives them.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "zoo/architecture.h"
#include "zoo/name_map.h"

namespace swinzoo::zoo {

class Names : public Checkpoint {
 public:
  std::string_view format() const override { return "made"; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  TensorView read(size_t index, Tensor&) const override { return values_.at(tensors_[index].name).view(); }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }

  // A tensor that is read.
  void add(const std::string& name, Tensor tensor) {
    tensors_.push_back({name, tensor.dtype(), tensor.shape()});
    values_[name] = std::move(tensor);
  }

  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;

 private:
  std::map<std::string, Tensor> values_;
};

// The tensors that a model of that spec has in a layout.
inline Names names_of(const ModelSpec& spec, const Layout& layout) {
  Names names;
  for (const backends::Weight& weight : build_plan(spec).weights) {
    const WeightPlace place = place_in(layout, weight.name, weight.shape);
    Shape shape = weight.shape;
    shape[0] /= static_cast<int64_t>(place.names.size());
    for (size_t axis = 0; axis < place.axes.size(); ++axis) shape[place.axes[axis]] = weight.shape[axis];
    for (const std::string& name : place.names) names.tensors_.push_back({name, DType::kF32, shape});
  }
  return names;
}

}  // namespace swinzoo::zoo
