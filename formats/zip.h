// Zip archives (PKWARE's APPNOTE.TXT 6.3), zip64 too, read in place: PyTorch's checkpoints, .npz, .keras.
//
//   per entry      local header "PK\3\4", 30 bytes + name + extra; the entry's bytes, stored or deflated
//   central        per entry "PK\1\2", 46 bytes + name + extra + comment: sizes, CRC-32, local header's
//   offset directory (zip64)        its end record "PK\6\6" and the locator "PK\6\7" of it the last       end
//   record "PK\5\6", 22 bytes + comment: where the central directory is
//
// All is taken from the central directory; of a local header only the name and the length count (writers that
// stream leave its sizes 0). Refused: damaged or overlapping entries, names that stand twice, encryption,
// methods other than stored and deflate, archives of several parts, entries that claim more than deflate can
// give (1032:1), and entries over 64 MiB that claim more than 100:1. Names are only names here: nothing is
// ever written to a path taken from an archive.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace swinzoo {

class MappedFile;

struct ZipEntry {
  std::string name;
  uint64_t offset;       // of its bytes, in the archive
  uint64_t stored_size;  // bytes in the archive
  uint64_t size;         // bytes once inflated
  uint32_t crc32;        // of the inflated bytes
  bool deflated;
};

// Immutable after it was opened, so safe to share between threads. Looks into the archive's bytes, which must
// outlive it. Errors name the entry, not the file: whoever opened the file adds its path.
class ZipArchive {
 public:
  // Throws kCorrupt if the archive is damaged, kUnsupported if it needs what is not read here.
  explicit ZipArchive(std::span<const std::byte> archive);

  // In the central directory's order. Names are unique.
  const std::vector<ZipEntry>& entries() const { return entries_; }

  // The entry of that name, or null.
  const ZipEntry* find(std::string_view name) const;

  // The bytes of an entry that is not deflated, straight from the archive. The CRC is checked the first time.
  // REQUIRES: !entry.deflated, and `entry` is one of entries().
  std::span<const std::byte> view(const ZipEntry& entry) const;

  // Fills the parts, one after the other, with the entry's first bytes, inflating where needed. The CRC is
  // checked where the parts take the whole entry. Throws kCorrupt if the entry is shorter, or damaged.
  void read(const ZipEntry& entry, std::initializer_list<std::span<std::byte>> parts) const;

  // The whole entry. Throws kCorrupt if it is larger than `limit` bytes.
  std::vector<std::byte> read(const ZipEntry& entry, uint64_t limit) const;

 private:
  std::span<const std::byte> archive_;
  std::vector<ZipEntry> entries_;
  std::map<std::string, size_t, std::less<>> index_;
  mutable std::vector<std::atomic<bool>> verified_;  // an entry's CRC was found right
};

// Whether the file is a zip archive with an entry whose name satisfies `wanted`; false if it is damaged.
bool zip_holds(const MappedFile& file, bool (*wanted)(std::string_view name));

}  // namespace swinzoo
