#include "formats/leveldb_table.h"

#include <cstdint>
#include <cstring>

#include "formats/crc32c.h"
#include "formats/error.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

using Bytes = std::span<const std::byte>;

constexpr uint64_t kMagic = 0xdb4775248b80fb57;
constexpr size_t kFooterBytes = 48;
constexpr size_t kTrailerBytes = 5;
constexpr std::byte kNoCompression{0};
constexpr std::byte kSnappy{1};

// A real index has about 20 kB.
constexpr size_t kLargestTable = size_t{64} << 20;

// Shared prefixes let a small table spell out very many bytes of keys. A real index needs about 30 kB.
constexpr size_t kMostEntryBytes = size_t{64} << 20;

template <typename T>
T load(Bytes bytes, size_t offset, const char* what) {
  T value = 0;
  std::memcpy(&value, checked_range(bytes, offset, sizeof(T), what).data(), sizeof(T));
  return value;
}

Bytes take(Bytes& bytes, uint64_t length, const char* what) {
  const Bytes taken = checked_range(bytes, 0, length, what);
  bytes = bytes.subspan(length);
  return taken;
}

uint64_t take_varint(Bytes& bytes, const char* what) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<uint64_t>(take(bytes, 1, what)[0]);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  fail(ErrorCode::kCorrupt, "{} is a number of more than 64 bits", what);
}

// Follows a handle: the block without its trailer, its checksum and compression checked.
Bytes take_block(Bytes table, Bytes& handle, const char* what) {
  const uint64_t offset = take_varint(handle, what);
  const uint64_t size = take_varint(handle, what);
  const Bytes block = checked_range(table, offset, size, what);
  const Bytes trailer = checked_range(table, offset + size, kTrailerBytes, what);
  const auto expected = load<uint32_t>(trailer, 1, what);
  const uint32_t found = mask_crc32c(extend_crc32c(crc32c(block), trailer.first(1)));
  if (found != expected) {
    fail(ErrorCode::kCorrupt, "{}: masked CRC32C is {:#010x}, but {:#010x} is stored", what, found, expected);
  }
  if (trailer[0] == kSnappy) {
    fail(ErrorCode::kUnsupported, "{} is compressed with snappy, which is not read", what);
  }
  if (trailer[0] != kNoCompression) {
    fail(ErrorCode::kCorrupt, "{} has unknown compression {}", what, static_cast<int>(trailer[0]));
  }
  return block;
}

// Calls visit(key, value) for each entry of a block.
template <typename Visit>
void for_each_entry(Bytes block, const char* what, Visit visit) {
  if (block.size() < sizeof(uint32_t)) fail(ErrorCode::kCorrupt, "{} has no restart points", what);
  const uint64_t restarts = load<uint32_t>(block, block.size() - sizeof(uint32_t), what);
  if (restarts > block.size() / sizeof(uint32_t) - 1) {
    fail(ErrorCode::kCorrupt, "{} claims {} restart points in {} bytes", what, restarts, block.size());
  }
  Bytes rest = block.first(block.size() - (restarts + 1) * sizeof(uint32_t));
  std::string key;
  while (!rest.empty()) {
    const uint64_t shared = take_varint(rest, what);
    const uint64_t added = take_varint(rest, what);
    const uint64_t value_size = take_varint(rest, what);
    if (shared > key.size()) {
      fail(ErrorCode::kCorrupt, "{}: a key shares {} bytes with one of {}", what, shared, key.size());
    }
    const Bytes suffix = take(rest, added, what);
    key.resize(shared);
    key.append(reinterpret_cast<const char*>(suffix.data()), suffix.size());
    visit(key, take(rest, value_size, what));
  }
}

}  // namespace

bool looks_like_leveldb_table(Bytes bytes) {
  return bytes.size() >= kFooterBytes &&
         load<uint64_t>(bytes, bytes.size() - sizeof(kMagic), "the footer") == kMagic;
}

std::vector<TableEntry> read_leveldb_table(Bytes bytes) {
  if (!looks_like_leveldb_table(bytes)) {
    fail(ErrorCode::kCorrupt, "does not end with a table's footer: {} bytes, and no magic number",
         bytes.size());
  }
  if (bytes.size() > kLargestTable) {
    fail(ErrorCode::kUnsupported, "a table of {} bytes; at most {} are read", bytes.size(), kLargestTable);
  }
  Bytes footer = bytes.last(kFooterBytes);
  const Bytes table = bytes.first(bytes.size() - kFooterBytes);
  take_block(table, footer, "the metaindex block");
  const Bytes index = take_block(table, footer, "the index block");

  std::vector<TableEntry> entries;
  size_t entry_bytes = 0;
  const std::byte* end = table.data();  // of the blocks so far
  for_each_entry(index, "the index block", [&](const std::string&, Bytes handle) {
    const Bytes block = take_block(table, handle, "a data block");
    if (block.data() < end) fail(ErrorCode::kCorrupt, "a data block starts inside the one before it");
    end = block.data() + block.size();
    for_each_entry(block, "a data block", [&](const std::string& key, Bytes value) {
      if (!entries.empty() && key <= entries.back().key) {
        fail(ErrorCode::kCorrupt, "the key of entry {} does not follow the one before it", entries.size());
      }
      entry_bytes += sizeof(TableEntry) + key.size();
      if (entry_bytes > kMostEntryBytes) {
        fail(ErrorCode::kUnsupported, "the table's keys take more than {} bytes", kMostEntryBytes);
      }
      entries.push_back({key, value});
    });
  });
  return entries;
}

}  // namespace swinzoo
