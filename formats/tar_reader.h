// Tar archives, plain or in gzip, read through libarchive one member after another.
//
// Not thread-safe. Every error is kCorrupt, with a message that names no file: the caller puts it in front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

struct archive;
struct archive_entry;
struct gzFile_s;

namespace swinzoo {

class TarReader {
 public:
  // From memory, which outlives the reader. The checksum at the end of gzip is not looked at.
  explicit TarReader(std::span<const std::byte> bytes);
  // From a file that is open for reading, in small pieces, from its start; the caller closes it. gzip's
  // checksums are verified.
  explicit TarReader(int fd);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // Steps to the next member; null after the last, and then all of the archive was read.
  archive_entry* next();

  // The next piece of the member's bytes, valid until the next call; empty at its end. Throws where a
  // member has holes, whose bytes are not in the archive.
  std::span<const std::byte> read();

  // How much of the file was read; of the second kind only.
  uint64_t position() const;

 private:
  struct Free {
    void operator()(archive* reader) const;
  };
  struct Close {
    void operator()(gzFile_s* file) const;
  };
  void check(int status);
  std::span<const std::byte> read_file();

  std::unique_ptr<gzFile_s, Close> file_;
  std::unique_ptr<std::byte[]> buffer_;
  std::unique_ptr<archive, Free> archive_;
  int members_ = 0;
  uint64_t done_ = 0;  // of the member
};

// The member's path without "./"; checked, so that it names something below the archive's top, which is no
// link and no device. Throws kCorrupt.
std::string checked_member_name(archive_entry* entry);

// Whether the bytes, the first 512 at least, start as gzip or as a tar archive do.
bool looks_like_tar(std::span<const std::byte> bytes);

}  // namespace swinzoo
