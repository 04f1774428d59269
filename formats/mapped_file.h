// A whole file mapped read-only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace swinzoo {

// `bytes[offset, offset + length)`, checked so that no sum can wrap. Throws kCorrupt naming `what` if the
// range does not lie in `bytes`. Every offset that comes from a file goes through here.
std::span<const std::byte> checked_range(std::span<const std::byte> bytes, uint64_t offset, uint64_t length,
                                         const char* what);

// Immutable, so safe to share between threads; the bytes live as long as the object. A file that another
// process truncates meanwhile raises SIGBUS, as with every map: write files beside their target and rename
// (AtomicFile).
class MappedFile {
 public:
  // Throws kNotFound if there is no such file, kFailed if it can't be read or is no regular file.
  explicit MappedFile(const std::filesystem::path& path);
  // Maps a file that is open for reading, which the caller closes whenever it likes; `name` is for messages.
  MappedFile(std::filesystem::path name, int fd);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

  // Lets the system take back the memory of a part that will not be read soon; reading it again is slower,
  // never wrong. `part` lies in bytes().
  void release(std::span<const std::byte> part) const;

 private:
  void map(int fd);

  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace swinzoo
