// A spec worked out from a checkpoint's tensors alone, where no config.json or catalog row tells it.
#pragma once

#include <optional>
#include <string>

#include "formats/checkpoint.h"
#include "zoo/catalog.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// Dimensions, heads, windows and classes come from names and shapes, in any layout of name_map.h; swinv2's
// windows from the table of offsets that the authors' files carry. The image size comes from a SavedModel's
// signature (metadata "signature.input_shape"). What is not told so comes from the catalog's architecture
// that agrees in all else, which gives the preprocessing too. Video Swin: see video_from_tensors.h. Nothing
// if the tensors are of no family of zoo/arch/. Throws kUnsupported where the image size or the windows can't
// be told. id, collection and sources are left empty.
std::optional<ModelSpec> spec_from_tensors(const Checkpoint& checkpoint, const std::string& where,
                                           const Catalog& catalog);

}  // namespace swinzoo::zoo
