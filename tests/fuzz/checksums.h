// Makes the checksums of a damaged file right, so that a reader looks at what was changed rather than refuses
// it at once. What is not there or does not fit is left alone: any bytes may be given. Wrong checksums are
// the business of the readers' own tests.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace swinzoo::fuzz {

using Mutable = std::span<std::byte>;

void mend_zip(Mutable archive);  // CRC-32 of entries
void mend_tar(Mutable archive);  // sums of headers
void mend_table(Mutable table);  // masked CRC32C of a leveldb table's blocks
void mend_png(Mutable image);    // CRC-32 of chunks

// A copy, mended.
inline std::vector<std::byte> mended(std::span<const std::byte> bytes, void (*mend)(Mutable)) {
  std::vector<std::byte> copy(bytes.begin(), bytes.end());
  mend(copy);
  return copy;
}

}  // namespace swinzoo::fuzz
