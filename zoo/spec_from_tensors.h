// A spec worked out from a checkpoint's tensors alone, where no config.json or catalog row tells it.
#pragma once

#include <optional>
#include <string>

#include "formats/checkpoint.h"
#include "zoo/catalog.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// Dimensions, heads, windows and classes come from names and shapes, in any layout of name_map.h. The image
// size comes from a SavedModel's signature or a Keras model's input layer (metadata "signature.input_shape"),
// else from the catalog's architecture with the same dimensions, which gives the preprocessing too. Knows
// Swin v1. Nothing if the tensors are of another family. Throws kUnsupported where the image size can't be
// told. id, collection and sources are left empty.
std::optional<ModelSpec> spec_from_tensors(const Checkpoint& checkpoint, const std::string& where,
                                           const Catalog& catalog);

}  // namespace swinzoo::zoo
