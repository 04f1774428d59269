// Unpacking of tar archives that nobody vouches for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace swinzoo {

struct UnpackedFile {
  std::string name;    // below the folder, with slashes
  uint64_t size = 0;   // bytes
  std::string sha256;  // of them
};

struct UnpackHooks {
  std::function<bool()> cancelled;                              // asked often; true ends with kInterrupted
  std::function<void(uint64_t done, uint64_t total)> progress;  // bytes of the archive
};

// Unpacks a tar or tar.gz into `folder`, which must not exist yet and appears by a rename only when all is
// there, on the disk and checked (gzip's checksums too); until then it is FOLDER.tmp, and what an earlier run
// left there is removed. Files come out with plain permissions, whatever the archive says. Memory stays
// small. Returns the files, in the archive's order.
//
// Throws kCorrupt for a damaged or truncated archive, for members with absolute paths or "..", links of any
// kind, devices, names that no file system takes or that hold control characters, two members of one name,
// members with holes, more than 10000 members, and archives that expand to more than 64 MiB + 32 times their
// own size; kDiskFull; kFailed; kInterrupted. Then nothing is left. The caller sees to it that no other
// process unpacks to the same folder.
std::vector<UnpackedFile> unpack_tar(const std::filesystem::path& archive,
                                     const std::filesystem::path& folder, const UnpackHooks& hooks);

}  // namespace swinzoo
