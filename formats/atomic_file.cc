#include "formats/atomic_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "formats/error.h"
#include "formats/write_all.h"

namespace fs = std::filesystem;

namespace swinzoo {
namespace {

constexpr const char* kCannotBeWritten = "cannot be written";

constexpr int kMostLinks = 40;  // Linux's own limit, path_resolution(7)

// What a chain of links ends at, whether or not that is there.
fs::path follow_links(fs::path path) {
  std::error_code error;
  for (int links = 0; fs::is_symlink(path, error); ++links) {
    if (links == kMostLinks) {
      errno = ELOOP;
      fail_errno(kCannotBeWritten, path.string());
    }
    path = path.parent_path() / fs::read_symlink(path);
  }
  return path;
}

}  // namespace

AtomicFile::AtomicFile(fs::path target) : target_(follow_links(target)) {
  struct stat before = {};
  const bool is_there = ::stat(target.c_str(), &before) == 0;
  if (is_there && !S_ISREG(before.st_mode)) {
    is_special_ = true;
    target_ = temporary_ = std::move(target);
    fd_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) fail_errno(kCannotBeWritten, target_.string());
    return;
  }
  if (target_.has_parent_path()) {
    std::error_code error;
    fs::create_directories(target_.parent_path(), error);
    if (error) {
      errno = error.value();
      fail_errno("the folder cannot be made", target_.parent_path().string());
    }
  }
  temporary_ = fmt::format("{}.{}.tmp", target_.string(), ::getpid());
  fd_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd_ < 0) fail_errno(kCannotBeWritten, target_.string());
  // Best effort: a file system without permissions refuses that, and the bytes are worth more.
  if (is_there) ::fchmod(fd_, before.st_mode & 07777);
}

AtomicFile::~AtomicFile() {
  if (!map_.empty()) ::munmap(map_.data(), map_.size());
  if (fd_ < 0) return;
  ::close(fd_);
  if (!is_special_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write_all(fd_, bytes, std::nullopt, kCannotBeWritten, target_);
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::write_at(uint64_t offset, std::string_view text) {
  write_all(fd_, std::as_bytes(std::span(text)), offset, kCannotBeWritten, target_);
}

std::span<std::byte> AtomicFile::map_more(uint64_t bytes) {
  if (bytes == 0) return {};
  const off_t begin = ::lseek(fd_, 0, SEEK_CUR);
  if (begin < 0) fail_errno(kCannotBeWritten, target_.string());
  // Without its space taken first, a full disk would show as a fault on writing to the map.
  errno = ::posix_fallocate(fd_, begin, static_cast<off_t>(bytes));
  if (errno != 0) fail_errno(kCannotBeWritten, target_.string());
  const size_t size = static_cast<size_t>(begin) + bytes;
  void* map = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (map == MAP_FAILED) fail_errno("cannot be mapped", target_.string());
  map_ = {static_cast<std::byte*>(map), size};
  return map_.subspan(static_cast<size_t>(begin));
}

void AtomicFile::commit(Sync sync) {
  if (is_special_) {
    if (::close(std::exchange(fd_, -1)) != 0) fail_errno(kCannotBeWritten, target_.string());
    return;
  }
  if (sync == Sync::kSynced && ::fsync(fd_) != 0) fail_errno("cannot be synced", target_.string());
  if (::close(std::exchange(fd_, -1)) != 0 || ::rename(temporary_.c_str(), target_.c_str()) != 0) {
    const int number = errno;
    ::unlink(temporary_.c_str());
    errno = number;
    fail_errno("cannot be put in place", target_.string());
  }
}

bool is_special_file(const fs::path& path) {
  std::error_code error;
  return fs::is_other(fs::status(path, error));
}

void write_file(const fs::path& target, std::string_view text) {
  AtomicFile file(target);
  file.write(text);
  file.commit();
}

}  // namespace swinzoo
