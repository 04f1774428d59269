// SavedModels, the folders that TensorFlow exports, and archives of one:
//
//   saved_model.pb                       graph and signatures (meta_graph.h)
//   variables/variables.index, .data-*   the weights (tensor_bundle.h)
//
// All else in there is left alone. An archive is a tar or tar.gz with these names at its top, as TF-Hub's are
// (a leading "./" is fine).
#pragma once

#include <filesystem>
#include <memory>

#include "formats/checkpoint.h"

namespace swinzoo {

class MappedFile;

// Metadata is that of meta_graph.h and tensor_bundle.h. Throws kUnsupported if there is no saved_model.pb,
// kNotFound or kCorrupt if there is one but weights are missing, kCorrupt if they are damaged.
std::unique_ptr<Checkpoint> open_saved_model(const std::filesystem::path& folder);

// Whether the file is compressed by gzip or is a tar archive.
bool looks_like_saved_model_archive(const MappedFile& file);

// Unpacks the weights, and nothing else, into unlinked files in $TMPDIR (/var/tmp where that is not set: /tmp
// is often memory), which vanish with the checkpoint. Throws kDiskFull where they don't fit, kCorrupt for
// damaged archives, for members named twice, members with absolute paths or "..", links and devices, and for
// archives that expand out of proportion: to more than 16 MiB + 32 times the archive of weights (weights
// hardly compress), or 4 GiB of all else.
std::unique_ptr<Checkpoint> open_saved_model_archive(std::unique_ptr<MappedFile> archive);

}  // namespace swinzoo
