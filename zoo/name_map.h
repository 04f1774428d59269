// Name maps: where a weight lies in a checkpoint, for each layout in which the zoo's weights are published.
//
// A layout is a list of rows: the canonical name's beginning (timm's) and what stands for it in the files. A
// name that no row begins is the same in both.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tensor.h"

namespace swinzoo::zoo {

// "{s}" and "{b}" stand for numbers (a stage, a block), "{p}" for the number of the stage before {s}.
struct NameRow {
  std::string canonical;                 // "layers.{s}.downsample"
  std::vector<std::string> in_the_file;  // several are joined along the first axis: q, k and v
};

struct Layout {
  std::string_view name;  // "timm", "authors", "transformers", "keras", "releases", "recogniser"
  std::vector<NameRow> rows;
  // Keras: parts are split by '/', a norm's weight and bias are gamma and beta, other weights are called
  // kernel and have their axes in reverse: [in, out], and [(depth,) height, width, in, out] for a
  // convolution.
  bool keras = false;
};

// The layouts in which a family's weights are published, that of the canonical names first.
std::span<const Layout> layouts_of(std::string_view family);

// Where a weight lies.
struct WeightPlace {
  std::vector<std::string> names;  // the tensors that make it up, joined along the first axis in this order
  std::vector<size_t> axes;        // axis i of the weight is axis axes[i] of the tensor; empty: as they are
};
WeightPlace place_in(const Layout& layout, const std::string& canonical, const Shape& shape);

}  // namespace swinzoo::zoo
