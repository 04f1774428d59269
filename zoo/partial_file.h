// A file while it is downloaded, in any order, and the journal that lets the next run go on.
//
//   PATH           the bytes; sparse, as long as the file will be
//   PATH.journal   text, a line each:
//       swinzoo download 1
//       url URL                 without user, password, query and fragment
//       size BYTES
//       etag ETAG               what the server names this version by, once it has answered
//       BLOCK SHA256            that block of 64 KiB (the last may be shorter) was written, with this digest
//
// A line is appended once its block stands in the file. The journal is believed up to its first line that is
// not whole or not of this form, and of a block only that it may be there: whoever goes on digests it again.
// Files below kSmallFile have no journal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace swinzoo::zoo {

inline constexpr uint64_t kBlock = 64 * 1024;        // bytes; a kill loses less than one a connection
inline constexpr uint64_t kSmallFile = 1024 * 1024;  // bytes
using BlockDigest = std::array<std::byte, 32>;       // SHA-256

BlockDigest digest_of_block(std::span<const std::byte> bytes);

// Not thread-safe, but for read(), which any thread may call beside the others.
class PartialFile {
 public:
  // Touches no file. `url` is fit for messages.
  PartialFile(std::filesystem::path path, std::string url);
  ~PartialFile();  // an empty file of no use to a later run is removed
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  // Opens what an earlier run left of this URL, and of this size where that is known; false if there is
  // nothing that can be gone on with. Then size() and etag() are the earlier run's.
  bool resume(std::optional<uint64_t> size);
  // Starts over with an empty file; of an unknown size without a journal. Throws kDiskFull, kFailed.
  void restart(std::optional<uint64_t> size);
  // Starts over with another program's bytes from the start on, which `earlier` holds: it is moved here.
  // Returns how many there are; 0 if it's not there or has more than `size`, and nothing has changed then.
  // Throws kInterrupted.
  uint64_t take_over(const std::filesystem::path& earlier, uint64_t size,
                     const std::function<bool()>& cancelled);

  std::optional<uint64_t> size() const { return size_; }
  const std::string& etag() const { return etag_; }  // empty = not known
  void set_etag(const std::string& etag);
  // The journal's digest of each block, nothing where it names none; empty after restart().
  const std::vector<std::optional<BlockDigest>>& claims() const { return claims_; }
  std::vector<std::optional<BlockDigest>> take_claims() { return std::exchange(claims_, {}); }

  // What was written so far is all. REQUIRES: the size was not known.
  void end_at(uint64_t size) { size_ = size; }

  void write(uint64_t offset, std::span<const std::byte> bytes);  // throws kDiskFull
  void journal_block(uint64_t block, const BlockDigest& digest);  // throws kDiskFull
  void read(uint64_t offset,
            std::span<std::byte> bytes) const;  // throws kFailed, also where the file is shorter

  uint64_t bytes_on_disk() const;  // what the file takes of the disk by now

  // Renames to `target`. Does not wait until the bytes have reached the disk, which can take several times as
  // long as the download: a power failure right after may damage them. REQUIRES: called once, last.
  void commit(const std::filesystem::path& target);
  // Removes all. REQUIRES: called once, last.
  void discard();

 private:
  bool read_journal(std::optional<uint64_t> size);
  bool take_journal_line(const std::string& line, size_t number);
  void open_journal();

  std::filesystem::path path_;
  std::filesystem::path journal_path_;
  std::string url_;
  std::optional<uint64_t> size_;
  std::string etag_;
  std::vector<std::optional<BlockDigest>> claims_;
  bool is_kept_ = false;  // there is something for a later run
  int fd_ = -1;
  int journal_fd_ = -1;
};

}  // namespace swinzoo::zoo
