#include "formats/temporary_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "formats/error.h"

namespace swinzoo {

TemporaryFile::TemporaryFile() {
  const char* folder = std::getenv("TMPDIR");
  path_ =
      std::filesystem::path(folder != nullptr && *folder != '\0' ? folder : "/var/tmp") / "swinzoo-XXXXXX";
  fd_ = ::mkostemp(path_.data(), O_CLOEXEC);
  if (fd_ < 0) fail_errno("cannot be created, to unpack weights (see TMPDIR)", path_);
  ::unlink(path_.c_str());
}

TemporaryFile::~TemporaryFile() { ::close(fd_); }

void TemporaryFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_errno("cannot be written, to unpack weights (see TMPDIR)", path_);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

}  // namespace swinzoo
