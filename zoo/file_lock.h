// A lock that several processes agree on: flock(2) on a file that is made for it and never removed. It is
// what huggingface_hub takes too (through the filelock package), so a blob that `hf` downloads is waited for.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace swinzoo::zoo {

// Held for the life of the object; a process that dies gives it back. Not for two threads of one process at
// a time: each must make its own, and then they exclude each other too.
class FileLock {
 public:
  struct Hooks {
    std::function<bool()> cancelled;               // asked often while waiting; true ends with kInterrupted
    std::function<void(const std::string&)> note;  // told once that it waits, and for what
  };

  // Waits until the lock is free. `what` is named in the note: "WHAT: another process is fetching it".
  // Throws kInterrupted, kDiskFull, kFailed (a folder that can't be written).
  FileLock(const std::filesystem::path& path, const std::string& what, const Hooks& hooks);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

// Makes the folder and those above it. Throws kDiskFull, kFailed.
void make_folder(const std::filesystem::path& folder);

}  // namespace swinzoo::zoo
