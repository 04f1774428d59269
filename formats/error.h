// The one exception type of the project, and the exit statuses.
//
// The library never prints, aborts or exits: it throws Error, whose message names the file, the tensor, what
// was expected and what was there. cmd/main.cc catches it once and exits with its code.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace swinzoo {

// What went wrong; the values are the command's exit statuses (docs/exit-status.md).
enum class ErrorCode : int {
  kFailed = 1,                  // anything without a code of its own; some entries of several failed
  kUsage = 2,                   // the command line is wrong
  kNotFound = 3,                // no such file, entry, revision or tensor
  kNetwork = 4,                 // a server could not be reached or refused
  kCorrupt = 5,                 // damaged or mismatched data: truncated, wrong digest, wrong shapes
  kDiskFull = 6,                // no space left to write
  kUnsupported = 7,             // understood, but not something that this build can do
  kAccuracyRegression = 10,     //
  kPerformanceRegression = 11,  //
  kInconclusive = 12,           // a comparison that the data can't decide
  kInterrupted = 130,           // SIGINT
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

// Throws Error with a formatted message.
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

// Throws Error for a failed system call on `path`, saying what errno means: ENOENT is kNotFound; ENOSPC,
// EDQUOT and EFBIG (a limit on the size of files) are kDiskFull; all else kFailed. Call it before errno can
// change.
[[noreturn]] void fail_errno(const std::string& what, const std::string& path);

// "a, b, c" for a message: at most 20 names, then "...".
std::string listed(const std::vector<std::string>& names);

}  // namespace swinzoo
