// TensorFlow checkpoints, "tensor bundles" (tensorflow/core/util/tensor_bundle):
//
//   PREFIX.index                 a table (leveldb_table.h): "" -> BundleHeaderProto, KEY -> BundleEntryProto
//   PREFIX.data-NNNNN-of-MMMMM   shards: tensors at the entries' offsets, little-endian, row-major
//
// A key is what the tensor was saved under, which is some path of objects or just a number; the tensor
// _CHECKPOINTABLE_OBJECT_GRAPH tells the attribute path of each (object_graph.h), and that is the tensor's
// name. A string tensor is varint64 lengths, the masked CRC32C of the lengths (uint32 each), then the
// strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "formats/mapped_file.h"

namespace swinzoo {

struct BundleEntry {
  std::string key;
  int dtype = 0;  // TensorFlow's number (tensorflow/core/framework/types.proto)
  Shape shape;
  int shard = 0;
  uint64_t offset = 0;  // in the shard
  uint64_t size = 0;    // bytes
  uint32_t masked_crc32c = 0;
};

struct BundleIndex {
  int shards = 0;
  std::vector<BundleEntry> entries;  // by rising key
};

// Reads PREFIX.index alone. Throws kCorrupt if it is damaged, kUnsupported for big-endian bundles, sliced
// tensors and versions after 1.
BundleIndex read_bundle_index(std::span<const std::byte> table);

// An index and what is known of it already.
struct BundleSource {
  std::string_view format;  // what Checkpoint::format() says
  std::unique_ptr<MappedFile> index;
  std::map<std::string, std::string> metadata;
};

// Opens a shard given what follows PREFIX in its name (".data-00000-of-00001").
using OpenShard = std::function<std::unique_ptr<MappedFile>(const std::string& suffix)>;

// Opens a bundle, with those of its shards that hold tensors. Each read() checks the tensor's CRC32C and
// throws kCorrupt where it is wrong. Metadata gets, as far as there are such:
//   keys_without_path     keys that no attribute leads to, one a line; these tensors' names are their keys
//   keys_not_read         keys of tensors that are no numbers (text, variants, ...), one a line, with dtype
std::unique_ptr<Checkpoint> open_tensor_bundle(BundleSource source, const OpenShard& open_shard);

// Whether the file is an index; and opens it with the shards beside it.
bool looks_like_tensor_bundle(const MappedFile& file);
std::unique_ptr<Checkpoint> open_tensor_bundle(std::unique_ptr<MappedFile> index);

}  // namespace swinzoo
