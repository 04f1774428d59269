// PyTorch checkpoints: what torch.save writes (.pth, .pt, .bin), in both of its layouts
// (torch/serialization.py).
//
// Since torch 1.6: a zip archive of
//   NAME/data.pkl    the object, pickled; a tensor in it refers to a storage by key
//   NAME/data/KEY    the elements of that storage
//   NAME/byteorder   "little" or "big", since torch 2.1
//   others           versions and marks that nothing depends on
// Before (or with _use_new_zipfile_serialization=False), one after the other:
//   pickles          the number 0x1950a86a20f9469cfc6c; 1001; facts of the system; the object; a list of keys
//   per key          the number of elements (8 bytes, little-endian), the elements
//
// Nothing is run. A pickle may name the globals that make tensors and containers, and some that stand beside
// the weights in checkpoints of training (configurations: yacs.config.CfgNode, argparse.Namespace; NumPy's
// scalars and arrays; what pytorch.cc lists): those stay closed, and only say their name where a weight would
// depend on one. A pickle that names any other global is refused by that name, wherever it stands.
//
// The tensors are those of the state dict: the top dictionary, or what it holds, where it holds no tensors
// itself, under the first of "state_dict_ema", "model_ema", "state_dict", "model" (timm's order:
// timm/models/_helpers.py load_state_dict), at most four deep. Then the prefixes "module." and "backbone."
// are cut from the names that carry one, if at least half of them do. metadata() tells, where there is
// something to tell:
//   "layout"            "zip" or "legacy"
//   "unwrapped"         the keys that led to the state dict: "model", "model.state_dict"
//   "stripped_prefixes" "module.", "backbone.", "module. backbone."
//   "left_out"          the keys beside the state dict, and in it those that are no tensors
//   "closed_globals"    the globals that stayed closed
#pragma once

#include <memory>

#include "formats/checkpoint.h"

namespace swinzoo {

class MappedFile;

// Whether the file starts as the legacy layout does, or is a zip archive with a data.pkl in a folder.
bool looks_like_pytorch(const MappedFile& file);

// Throws kCorrupt if the file is damaged; kUnsupported for big-endian files, dtypes that are none of ours,
// globals that are not known, and files without a state dict.
std::unique_ptr<Checkpoint> open_pytorch(std::unique_ptr<MappedFile> file);

}  // namespace swinzoo
