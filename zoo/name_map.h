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
  std::string_view canonical;                 // "layers.{s}.downsample"
  std::vector<std::string_view> in_the_file;  // several are joined along the first axis: q, k and v
};

struct Layout {
  std::string_view name;  // "timm", "authors", "transformers"
  std::vector<NameRow> rows;
};

// The layouts in which a family's weights are published, timm's first.
std::span<const Layout> layouts_of(std::string_view family);

// The names of the tensors that make up a weight, in their order.
std::vector<std::string> names_in(const Layout& layout, const std::string& canonical);

}  // namespace swinzoo::zoo
