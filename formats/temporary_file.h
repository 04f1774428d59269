// A file without a name, for what is unpacked and for what other programs write.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace swinzoo {

// Lies in $TMPDIR (/var/tmp where that is not set: /tmp is often memory) and vanishes when it is closed and
// no map of it is left. Errors name TMPDIR; kDiskFull where there is no space.
class TemporaryFile {
 public:
  TemporaryFile();
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int fd() const { return fd_; }

  void write(std::span<const std::byte> bytes);

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace swinzoo
