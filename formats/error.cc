#include "formats/error.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

namespace swinzoo {

void fail_errno(const std::string& what, const std::string& path) {
  const int number = errno;
  ErrorCode code = ErrorCode::kFailed;
  if (number == ENOENT) code = ErrorCode::kNotFound;
  if (number == ENOSPC || number == EDQUOT || number == EFBIG) code = ErrorCode::kDiskFull;
  fail(code, "{}: {}: {}", path, what, std::strerror(number));
}

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kMost = 20;
  const std::span<const std::string> shown = std::span(names).first(std::min(kMost, names.size()));
  return fmt::format("{}{}", fmt::join(shown, ", "), names.size() > kMost ? ", ..." : "");
}

}  // namespace swinzoo
