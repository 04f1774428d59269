#include "formats/write_all.h"

#include <unistd.h>

#include <cerrno>

#include "formats/error.h"

namespace swinzoo {

void write_all(int fd, std::span<const std::byte> bytes, std::optional<uint64_t> offset, const char* what,
               const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = offset ? ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(*offset))
                                   : ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_errno(what, path.string());
    bytes = bytes.subspan(static_cast<size_t>(written));
    if (offset) *offset += static_cast<uint64_t>(written);
  }
}

}  // namespace swinzoo
