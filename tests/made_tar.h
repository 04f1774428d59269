// Archives made by a test, good and hostile.
#pragma once

#include <string>
#include <vector>

namespace swinzoo {

struct Member {
  std::string path;
  std::string bytes;
  char type = 'f';  // f file, d folder, s symbolic link to bytes, h hard link to bytes, c device, p pipe
};

std::string make_tar(const std::vector<Member>& members, bool gzip);

}  // namespace swinzoo
