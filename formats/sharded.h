// Checkpoints that are spread over several files, as transformers and huggingface_hub write large ones:
//
//   model.safetensors.index.json, pytorch_model.bin.index.json
//     {"metadata": {"total_size": ..}, "weight_map": {"NAME": "model-00001-of-00003.safetensors", ..}}
//
// Shards are checkpoints of one file in the index's folder.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "formats/checkpoint.h"

namespace swinzoo {

class MappedFile;

// The weight_map: for each tensor, the file that holds it.
using ShardIndex = std::map<std::string, std::string>;

// Throws kCorrupt if the file is no index, names a tensor twice, or a shard that is no plain file name.
ShardIndex read_shard_index(const std::filesystem::path& path);

std::set<std::string> shards_of(const ShardIndex& index);

// Whether the file is a JSON object that has a weight_map or is called *.index.json.
bool looks_like_shard_index(const MappedFile& file);

// Opens a file that is a checkpoint by itself.
using OpenFile = std::unique_ptr<Checkpoint> (*)(std::unique_ptr<MappedFile> file);

// All shards as one checkpoint: tensors in the order of the shards' names, as metadata what all shards agree
// in. Throws kNotFound, naming them, if shards are missing; kCorrupt, naming them, if tensors are in no shard
// or in another one than the index says, and if shards hold tensors that the index does not name.
std::unique_ptr<Checkpoint> open_sharded(const std::filesystem::path& index, OpenFile open);

}  // namespace swinzoo
