#include "formats/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/error.h"

namespace swinzoo {

std::span<const std::byte> checked_range(std::span<const std::byte> bytes, uint64_t offset, uint64_t length,
                                         const char* what) {
  if (offset > bytes.size() || length > bytes.size() - offset) {
    fail(ErrorCode::kCorrupt, "{} claims {} bytes at offset {}, but only {} bytes are there", what, length,
         offset, bytes.size());
  }
  return bytes.subspan(offset, length);
}

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_errno("cannot be opened", path.string());
  try {
    map(fd);
  } catch (...) {
    ::close(fd);
    throw;
  }
  ::close(fd);
}

MappedFile::MappedFile(std::filesystem::path name, int fd) : path_(std::move(name)) { map(fd); }

void MappedFile::map(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    fail(ErrorCode::kFailed, "{}: is no regular file", path_.string());
  }
  if (status.st_size == 0) return;
  void* data = ::mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) fail_errno("cannot be mapped", path_.string());
  data_ = static_cast<const std::byte*>(data);
  size_ = static_cast<size_t>(status.st_size);
}

MappedFile::~MappedFile() {
  if (size_ > 0) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<uintptr_t>(part.data()) + part.size()) / page * page;
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace swinzoo
