// spec_from_tensors for Video Swin.
#pragma once

#include <optional>
#include <string>

#include "zoo/catalog.h"
#include "zoo/spec.h"
#include "zoo/tensor_shapes.h"

namespace swinzoo::zoo {

// Embedding, depths, heads and classes come from names and shapes; the window from a relative_position_index
// where there is one, else from the catalog's Video Swins, whose tables of position biases differ in length.
// The weights fit clips of any size: frames and sides are those of a SavedModel's signature, else of the
// catalog's architecture with the same dimensions, else of its first Video Swin (all take 32 x 224 x 224).
// Nothing if the tensors are of another family. Throws kUnsupported where the window can't be told.
std::optional<ModelSpec> video_spec_from_tensors(const NamedTensors& tensors, const std::string& where,
                                                 const Catalog& catalog);

}  // namespace swinzoo::zoo
