#include "formats/error.h"

#include <cerrno>
#include <cstring>

namespace swinzoo {

void fail_errno(const std::string& what, const std::string& path) {
  const int number = errno;
  ErrorCode code = ErrorCode::kFailed;
  if (number == ENOENT) code = ErrorCode::kNotFound;
  if (number == ENOSPC || number == EDQUOT || number == EFBIG) code = ErrorCode::kDiskFull;
  fail(code, "{}: {}: {}", path, what, std::strerror(number));
}

}  // namespace swinzoo
