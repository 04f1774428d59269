#include "zoo/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "formats/error.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

// False if another process holds it.
bool try_lock(int fd, int operation) {
  int status = 0;
  do status = ::flock(fd, operation | LOCK_NB);
  while (status != 0 && errno == EINTR);
  return status == 0 || errno != EWOULDBLOCK;
}

// Whether the name still stands for what is open: another process may have removed it meanwhile.
bool is_same(int fd, const fs::path& path) {
  struct stat opened;
  struct stat named;
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

}  // namespace

FolderLock::FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

FolderLock FolderLock::use(const fs::path& folder, const FileLock::Hooks& hooks) {
  for (bool told = false;;) {
    make_folder(folder);
    FolderLock lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (lock.fd_ < 0 && errno == ENOENT) continue;
    if (lock.fd_ < 0) fail_errno("can't be opened", folder.string());
    if (try_lock(lock.fd_, LOCK_SH)) {
      if (is_same(lock.fd_, folder)) return lock;
      continue;
    }
    if (!told && hooks.note)
      hooks.note(fmt::format("{}: another process is removing from it; waiting", folder.string()));
    told = true;
    if (hooks.cancelled && hooks.cancelled()) fail(ErrorCode::kInterrupted, "interrupted");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

std::optional<FolderLock> FolderLock::try_own(const fs::path& folder) {
  FolderLock lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.fd_ < 0) fail_errno("can't be opened", folder.string());
  if (!try_lock(lock.fd_, LOCK_EX)) return std::nullopt;
  return lock;
}

}  // namespace swinzoo::zoo
