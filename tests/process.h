// Child processes of a test: started without a shell, their output kept.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/text_files.h"

namespace swinzoo {

// A folder that is removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Killed and waited for at the end, if it still runs.
class Process {
 public:
  // Runs args[0]. The environment is ours with `env` over it; standard output and error go to files in a
  // temporary folder.
  Process(const std::vector<std::string>& args, const std::map<std::string, std::string>& env);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send_signal(int number) const;
  int wait();  // the exit status, or 128 + the signal that ended it

  std::string out() const { return read_text(folder_.path() / "out"); }
  std::string err() const { return read_text(folder_.path() / "err"); }

 private:
  TemporaryFolder folder_;
  pid_t pid_ = -1;
  bool waited_ = false;
};

}  // namespace swinzoo
