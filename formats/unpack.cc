#include "formats/unpack.h"

#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "formats/error.h"
#include "formats/sha256.h"
#include "formats/tar_reader.h"
#include "formats/write_all.h"

namespace swinzoo {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostBase = uint64_t{64} << 20;
constexpr uint64_t kMostFactor = 32;      // weights hardly compress; graphs do
constexpr size_t kMostOfComponent = 255;  // NAME_MAX of Linux' file systems
constexpr size_t kMostOfName = 1024;

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// A folder that is removed again, unless it was renamed.
class StagingFolder {
 public:
  explicit StagingFolder(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    fs::remove_all(path_, error);
    if (!error) fs::create_directories(path_, error);
    if (!error) return;
    errno = error.value();
    fail_errno("can't be created", path_.string());
  }
  ~StagingFolder() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
  }
  StagingFolder(const StagingFolder&) = delete;
  StagingFolder& operator=(const StagingFolder&) = delete;

  const fs::path& path() const { return path_; }

  void rename(const fs::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0)
      fail_errno("can't be moved into place", target.string());
    path_.clear();
  }

 private:
  fs::path path_;
};

void check_name(const std::string& name) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  const bool has_long_part = [&] {
    const fs::path path(name);
    return std::any_of(path.begin(), path.end(),
                       [](const fs::path& part) { return part.native().size() > kMostOfComponent; });
  }();
  if (name.size() > kMostOfName || has_long_part) {
    fail(ErrorCode::kCorrupt, "a member's name of {} bytes", name.size());
  }
  if (std::any_of(name.begin(), name.end(), is_control)) {
    fail(ErrorCode::kCorrupt, "a member's name holds control characters");
  }
}

class Unpacking {
 public:
  Unpacking(int archive, uint64_t archive_size, const fs::path& staging, const UnpackHooks& hooks)
      : reader_(archive),
        archive_size_(archive_size),
        room_(kMostBase + kMostFactor * archive_size),
        staging_(staging),
        hooks_(hooks) {}

  std::vector<UnpackedFile> run() {
    while (archive_entry* entry = reader_.next()) take(entry);
    return std::move(files_);
  }

 private:
  void take(archive_entry* entry) {
    std::string name = checked_member_name(entry);
    while (name.ends_with('/')) name.pop_back();
    check_name(name);
    const bool is_folder = archive_entry_filetype(entry) == AE_IFDIR;
    const fs::path path = staging_ / name;
    make_folder(is_folder ? path : path.parent_path(), name);
    if (is_folder) return;
    if (archive_entry_size_is_set(entry) == 0) fail(ErrorCode::kCorrupt, "{}: has no size", name);
    write(name, path, static_cast<uint64_t>(archive_entry_size(entry)));
  }

  static void make_folder(const fs::path& folder, const std::string& name) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error == std::errc::not_a_directory || error == std::errc::file_exists ||
        (!error && !fs::is_directory(folder, error))) {
      fail(ErrorCode::kCorrupt, "{}: is a file and a folder", name);
    }
    if (!error) return;
    errno = error.value();
    fail_errno("can't be created", folder.string());
  }

  void write(const std::string& name, const fs::path& path, uint64_t size) {
    if (size > room_) {
      fail(ErrorCode::kCorrupt, "it expands to more than {} bytes, which models don't",
           kMostBase + kMostFactor * archive_size_);
    }
    room_ -= size;
    const Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (file.get() < 0 && (errno == EEXIST || errno == EISDIR)) {
      fail(ErrorCode::kCorrupt, "has {} twice", name);
    }
    if (file.get() < 0) fail_errno("can't be written", path.string());
    Sha256 sha256;
    uint64_t done = 0;
    for (auto piece = reader_.read(); !piece.empty(); piece = reader_.read()) {
      if (hooks_.cancelled && hooks_.cancelled()) fail(ErrorCode::kInterrupted, "interrupted");
      if (piece.size() > size - done) fail(ErrorCode::kCorrupt, "{}: has more bytes than it says", name);
      done += piece.size();
      sha256.update(piece);
      write_all(file.get(), piece, std::nullopt, "can't be written", path);
      if (hooks_.progress) hooks_.progress(std::min(reader_.position(), archive_size_), archive_size_);
    }
    if (done != size) fail(ErrorCode::kCorrupt, "{}: has {} bytes of {}", name, done, size);
    if (::fsync(file.get()) != 0) fail_errno("can't be written", path.string());
    files_.push_back({name, size, sha256.hex()});
  }

  TarReader reader_;
  uint64_t archive_size_;
  uint64_t room_;
  const fs::path& staging_;
  const UnpackHooks& hooks_;
  std::vector<UnpackedFile> files_;
};

}  // namespace

std::vector<UnpackedFile> unpack_tar(const fs::path& archive, const fs::path& folder,
                                     const UnpackHooks& hooks) {
  const Descriptor file(archive, O_RDONLY);
  if (file.get() < 0) fail_errno("can't be read", archive.string());
  StagingFolder staging(folder.string() + ".tmp");
  try {
    std::vector<UnpackedFile> files =
        Unpacking(file.get(), fs::file_size(archive), staging.path(), hooks).run();
    staging.rename(folder);
    return files;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt) throw;
    fail(error.code(), "{}: archive: {}", archive.string(), error.what());
  }
}

}  // namespace swinzoo
