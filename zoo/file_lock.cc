#include "zoo/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "formats/error.h"

namespace swinzoo::zoo {

FileLock::FileLock(const std::filesystem::path& path, const std::string& what, const Hooks& hooks) {
  make_folder(path.parent_path());
  constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  fd_ = ::open(path.c_str(), kFlags | O_CREAT | O_EXCL, 0664);
  if (fd_ >= 0) ::fchmod(fd_, 0664);  // whatever the umask: a group may share the cache
  if (fd_ < 0 && errno == EEXIST) fd_ = ::open(path.c_str(), kFlags);
  if (fd_ < 0) fail_errno("can't be opened", path.string());
  bool told = false;
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      const int number = errno;
      ::close(fd_);
      errno = number;
      fail_errno("can't be locked", path.string());
    }
    if (!told && hooks.note) hooks.note(fmt::format("{}: another process is fetching it; waiting", what));
    told = true;
    if (hooks.cancelled && hooks.cancelled()) {
      ::close(fd_);
      fail(ErrorCode::kInterrupted, "interrupted");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

FileLock::~FileLock() { ::close(fd_); }

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return;
  errno = error.value();
  fail_errno("can't be created", folder.string());
}

}  // namespace swinzoo::zoo
