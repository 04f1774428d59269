// Tables as LevelDB writes them (leveldb/doc/table_format.md), which TensorFlow's PREFIX.index is one of.
//
//   data blocks, a metaindex block, an index block, then 48 bytes of footer:
//     metaindex handle, index handle (each varint64 offset, varint64 size), padding to 40 bytes,
//     8 bytes        magic 0xdb4775248b80fb57, little-endian
//   a block: entries, then restart offsets (uint32 each) and their number (uint32);
//     after it, not counted in its handle: 1 byte compression (0 none, 1 snappy), 4 bytes masked CRC32C of
//     the block and that byte
//   an entry: varint32 bytes shared with the key before it, varint32 bytes of key that follow, varint32 bytes
//     of value, the rest of the key, the value
//   the index block's values are the handles of the data blocks
//
// Our own reader, because leveldb's allocates what a handle claims and asserts on damaged blocks.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace swinzoo {

struct TableEntry {
  std::string key;
  std::span<const std::byte> value;  // lies in the table
};

// Whether the bytes end as a table does.
bool looks_like_leveldb_table(std::span<const std::byte> bytes);

// All entries; keys rise strictly, byte by byte, so each stands once. Throws kCorrupt if any handle, length,
// order or checksum is wrong; kUnsupported for compressed blocks and where the table or its keys take more
// than 64 MiB.
std::vector<TableEntry> read_leveldb_table(std::span<const std::byte> bytes);

}  // namespace swinzoo
