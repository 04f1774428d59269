// Small TensorFlow files, right or wrong, written by hand: no code is shared with the readers but CRC32C.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/mapped_file.h"
#include "formats/tensor.h"
#include "tests/made_tar.h"

namespace swinzoo {

// A file that has no place in the file system; `name` is its path for messages.
std::unique_ptr<MappedFile> file_of(std::string_view bytes, const std::string& name = "made");

std::string f32_bytes(const std::vector<float>& values);
std::string fixed32(uint32_t value);

// protobuf: a number, a number in a field, bytes in a field.
std::string varint(uint64_t value);
std::string proto_number(uint32_t field, uint64_t value);
std::string proto_bytes(uint32_t field, std::string_view bytes);
std::string proto_shape(const Shape& shape);

// LevelDB's table. A block here has its trailer.
using KeyValues = std::vector<std::pair<std::string, std::string>>;
std::string table_entry(size_t shared, std::string_view suffix, std::string_view value);
std::string table_block(const std::string& entries, char compression = 0);
std::string block_handle(uint64_t offset, uint64_t size);
std::string table_footer(const std::string& metaindex_handle, const std::string& index_handle);
// `entries_a_block` keys a data block, with shared prefixes.
std::string make_table(const KeyValues& entries, size_t entries_a_block = 2);

struct MadeTensor {
  std::string key;
  int dtype = 1;
  Shape shape;
  std::string bytes;
  int shard = 0;
};

struct MadeBundle {
  KeyValues entries;  // of the index; "" is the header
  std::vector<std::string> shards;

  std::string index() const { return make_table(entries); }
};

struct MadeNode {
  std::vector<std::pair<std::string, int>> children;
  std::vector<std::pair<std::string, std::string>> attributes;  // name, checkpoint key
};
std::string make_graph(const std::vector<MadeNode>& nodes);
// The tensor that holds a graph.
std::string string_tensor(const std::string& text);

// Tensors by rising key, as in a real bundle.
MadeBundle make_bundle(const std::vector<MadeTensor>& tensors, const std::string& graph, int shards = 1);
// One entry's value.
std::string bundle_entry(const MadeTensor& tensor, uint64_t offset, uint32_t masked_crc32c);
std::string bundle_header(int shards, int endianness = 0, int min_consumer = 0);

// A bundle with the tensors head/kernel [2, 3], layers/0/kernel [4], layers/10/kernel [1], index I64 [2],
// scalar [] and none [0], under keys and through a graph as TensorFlow writes them.
MadeBundle swin_like_bundle(int shards = 1);

// saved_model.pb with a graph_def of `graph_bytes` zeros.
std::string make_saved_model_pb(const Shape& input, const Shape& output, size_t graph_bytes);

std::vector<Member> saved_model_members(const MadeBundle& bundle);

}  // namespace swinzoo
