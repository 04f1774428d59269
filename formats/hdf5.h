// Keras' HDF5 files (.h5, .weights.h5: any HDF5 file of tensors), and .keras archives, a zip of
//
//   config.json         the model's configuration
//   metadata.json       versions
//   model.weights.h5    the weights: an HDF5 file
//   assets/...          left alone
//
// HDF5 files are read by libhdf5 1.10, which has known faults on damaged files. So it only runs in child
// processes with limits (child_process.h, hdf5_child.h): one lists the data sets, and what it tells is
// checked like the file itself (hdf5_listing.h). Elements that lie dense and little-endian in the file, as
// Keras writes them, are read straight from the map; chunked, compressed, compact and big-endian ones by
// another child. A data set over 64 MiB that claims more than 100 times what is stored of it is refused.
//
// Tensors: a file that Keras 2 wrote lists its layers in the attribute layer_names of the root, or of
// /model_weights in a whole model, and each layer's weights in weight_names (or weight_names0, 1, ... where
// one would be too large). The tensors are then these, in this order, named by their paths below that group:
// "basic_layer/dense/kernel:0". In other files they are all data sets, in the order of their paths, but for
// an optimizer's: "norm/vars/0".
//
// metadata() has the texts beside the weights (attributes of these groups, the archive's files):
// "keras_version", "backend", "model_config", "metadata.json", ... Also, where there is something to tell:
//   "signature.input_shape"  of the input layer in the model's configuration: "[-1, 224, 224, 3]"
//   "left_out"               data sets that are no weights, links that are not followed (all but hard ones),
//                            other files of the archive
#pragma once

#include <memory>

#include "formats/checkpoint.h"

namespace swinzoo {

class MappedFile;

// Whether the file starts as HDF5 files do; whether it is a zip archive with a model.weights.h5.
bool looks_like_hdf5(const MappedFile& file);
bool looks_like_keras(const MappedFile& file);

// format() is "hdf5" or "keras". Both throw kCorrupt if the file is damaged (or libhdf5 crashes on it, or
// takes too long), kUnsupported for data sets that are no tensors, use filters other than deflate, shuffle
// and Fletcher-32, or have their elements in other files.
std::unique_ptr<Checkpoint> open_hdf5(std::unique_ptr<MappedFile> file);

// Deflated weights are unpacked into a file in $TMPDIR (temporary_file.h), which vanishes with the
// checkpoint.
std::unique_ptr<Checkpoint> open_keras(std::unique_ptr<MappedFile> archive);

}  // namespace swinzoo
