#include "formats/temporary_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "formats/error.h"
#include "formats/write_all.h"

namespace swinzoo {

TemporaryFile::TemporaryFile() {
  const char* folder = std::getenv("TMPDIR");
  path_ =
      std::filesystem::path(folder != nullptr && *folder != '\0' ? folder : "/var/tmp") / "swinzoo-XXXXXX";
  fd_ = ::mkostemp(path_.data(), O_CLOEXEC);
  if (fd_ < 0) fail_errno("cannot be created (see TMPDIR)", path_);
  ::unlink(path_.c_str());
}

TemporaryFile::~TemporaryFile() { ::close(fd_); }

void TemporaryFile::write(std::span<const std::byte> bytes) {
  write_all(fd_, bytes, std::nullopt, "cannot be written (see TMPDIR)", path_);
}

}  // namespace swinzoo
