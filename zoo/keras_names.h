// Keras' HDF5 files call weights by names of layers, where a SavedModel has the paths of objects; this gives
// the paths, so that all of Keras' files have the layout "keras" of name_map.h. Of
// sayakpaul/swin-transformers-tf's models there are two kinds:
//
//   save_weights, save of Keras 2  "basic_layer_4/dense_19/kernel:0". The numbers are counters of the process
//                                  that wrote the file, so they tell nothing: what a weight is follows from
//                                  its place in the file's order (which is the model's) and its last part.
//   .weights.h5, .keras            "swin_layers/basic_layer_1/layers/patch_merging/norm/vars/0", below
//                                  "layers/swin_transformer/" where the model is part of another.
#pragma once

#include <memory>

#include "formats/checkpoint.h"

namespace swinzoo::zoo {

// The same checkpoint with its tensors, in the same order, named by object paths:
// "swin_layers/1/downsample/norm/gamma". As it is where it is no HDF5 file, or not one of these.
std::unique_ptr<Checkpoint> with_object_paths(std::unique_ptr<Checkpoint> checkpoint);

}  // namespace swinzoo::zoo
