// Tar archives (ustar) made at test time.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace swinzoo {

// A member's header and its bytes, padded. type: '0' a file, '5' a folder, '2' a link.
std::string tar_member(const std::string& name, const std::string& bytes, char type = '0');

// Files, {name, bytes} each, and the end of an archive.
std::string made_tar(const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace swinzoo
