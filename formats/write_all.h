// Writing to a file descriptor until all is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

namespace swinzoo {

// Writes all bytes where the descriptor stands, or from `offset` on, whatever interrupts it. Throws as
// fail_errno(what, path): kDiskFull where no space is left.
void write_all(int fd, std::span<const std::byte> bytes, std::optional<uint64_t> offset, const char* what,
               const std::filesystem::path& path);

}  // namespace swinzoo
