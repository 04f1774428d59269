// A spec worked out from a checkpoint's tensors alone, where no config.json or catalog row tells it.
#pragma once

#include <optional>
#include <string>

#include "formats/checkpoint.h"
#include "zoo/catalog.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// What a user says of a model: --arch, where the files don't tell it, --img-size and --frames.
struct SpecHints {
  std::string architecture;  // of the catalog; empty: not said
  int64_t image_size =
      0;  // the size that the files don't tell, or another one to run at (image_size.h); 0: not said
  int64_t frames = 0;  // video: another number of frames to run at; 0: not said
};

// The architecture that --arch names. Throws kNotFound. REQUIRES: hints.architecture is said.
const ModelSpec& hinted_architecture(const SpecHints& hints, const Catalog& catalog);

// Dimensions, heads, windows and classes come from names and shapes, in any layout of name_map.h; swinv2's
// windows from the table of offsets that the authors' files carry. The image size comes from a SavedModel's
// signature or a Keras model's input layer (metadata "signature.input_shape"), or from the masks of the
// authors' files, else from the hints. What is not told so comes from an architecture of the catalog, which
// gives the preprocessing too: the one of the hints, else the one that agrees in all else. Video Swin: see
// video_from_tensors.h. Nothing if the tensors are of no family of zoo/arch/. Throws kUnsupported where the
// image size or the windows can't be told; kCorrupt, naming what differs, where the tensors are not of the
// architecture of the hints. id, collection and sources are left empty.
std::optional<ModelSpec> spec_from_tensors(const Checkpoint& checkpoint, const std::string& where,
                                           const Catalog& catalog, const SpecHints& hints = {});

}  // namespace swinzoo::zoo
