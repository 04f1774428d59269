#include "tests/fuzz/checksums.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>

#include "formats/crc32c.h"

namespace swinzoo::fuzz {
namespace {

template <typename T>
T load(Mutable bytes, size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

template <typename T>
void store(Mutable bytes, size_t at, T number) {
  std::memcpy(bytes.data() + at, &number, sizeof number);
}

bool fits(Mutable bytes, uint64_t at, uint64_t size) {
  return at <= bytes.size() && size <= bytes.size() - at;
}

uint32_t crc32_of(Mutable bytes) {
  return static_cast<uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// Of what the bytes give when inflated, at most `size` bytes and 64 kB.
uint32_t inflated_crc32(Mutable bytes, uint64_t size) {
  std::vector<std::byte> inflated(std::min<uint64_t>(size, 1 << 16));
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(inflated.data());
  stream.avail_out = static_cast<uInt>(inflated.size());
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return 0;
  ::inflate(&stream, Z_SYNC_FLUSH);
  ::inflateEnd(&stream);
  return crc32_of(Mutable(inflated).first(stream.total_out));
}

std::optional<uint64_t> take_varint(Mutable& bytes) {
  uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = std::to_integer<uint64_t>(bytes[0]);
    bytes = bytes.subspan(1);
    number |= (byte & 0x7f) << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

// Takes a handle off `from`, mends that block, and gives its bytes.
Mutable mend_block(Mutable table, Mutable& from) {
  const auto offset = take_varint(from), size = take_varint(from);
  constexpr uint64_t kTrailer = 5;
  if (!offset || !size || !fits(table, *offset, *size) || !fits(table, *offset + *size, kTrailer)) return {};
  const uint32_t crc = crc32c(table.subspan(*offset, *size + 1));
  store(table, *offset + *size + 1, mask_crc32c(crc));
  return table.subspan(*offset, *size);
}

}  // namespace

void mend_zip(Mutable archive) {
  constexpr uint32_t kCentral = 0x02014b50;
  constexpr uint16_t kDeflated = 8;
  for (size_t at = 0; fits(archive, at, 46); ++at) {
    if (load<uint32_t>(archive, at) != kCentral) continue;
    const uint64_t stored_size = load<uint32_t>(archive, at + 20), local = load<uint32_t>(archive, at + 42);
    if (!fits(archive, local, 30)) continue;
    const uint64_t data =
        local + 30 + load<uint16_t>(archive, local + 26) + load<uint16_t>(archive, local + 28);
    if (!fits(archive, data, stored_size)) continue;
    const Mutable stored = archive.subspan(data, stored_size);
    const bool deflated = load<uint16_t>(archive, at + 10) == kDeflated;
    store(archive, at + 16,
          deflated ? inflated_crc32(stored, load<uint32_t>(archive, at + 24)) : crc32_of(stored));
  }
}

void mend_tar(Mutable archive) {
  constexpr size_t kHeader = 512, kSum = 148, kMagic = 257;
  for (size_t at = 0; fits(archive, at, kHeader); at += kHeader) {
    const Mutable header = archive.subspan(at, kHeader);
    if (std::memcmp(header.data() + kMagic, "ustar", 5) != 0) continue;
    std::memset(header.data() + kSum, ' ', 8);
    unsigned sum = 0;
    for (const std::byte byte : header) sum += std::to_integer<unsigned>(byte);
    char text[8];
    std::snprintf(text, sizeof text, "%06o", sum);
    std::memcpy(header.data() + kSum, text, sizeof text);
  }
}

void mend_table(Mutable table) {
  constexpr size_t kFooter = 48;
  if (table.size() < kFooter) return;
  Mutable footer = table.last(kFooter);
  table = table.first(table.size() - kFooter);
  mend_block(table, footer);
  Mutable rest = mend_block(table, footer);
  while (!rest.empty()) {
    const auto shared = take_varint(rest), added = take_varint(rest), size = take_varint(rest);
    if (!shared || !added || !size || !fits(rest, *added, *size)) return;
    Mutable handle = rest.subspan(*added, *size);
    mend_block(table, handle);
    rest = rest.subspan(*added + *size);
  }
}

void mend_png(Mutable image) {
  constexpr size_t kSignature = 8;
  for (uint64_t at = kSignature; fits(image, at, 12);) {
    const uint64_t size = __builtin_bswap32(load<uint32_t>(image, at));
    if (!fits(image, at, size + 12)) return;
    store(image, at + 8 + size, __builtin_bswap32(crc32_of(image.subspan(at + 4, size + 4))));
    at += size + 12;
  }
}

}  // namespace swinzoo::fuzz
