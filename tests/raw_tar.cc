#include "tests/raw_tar.h"

#include <fmt/format.h>

#include <numeric>

namespace swinzoo {

std::string tar_member(const std::string& name, const std::string& bytes, char type) {
  constexpr size_t kBlock = 512, kChecksum = 148;
  std::string header(kBlock, '\0');
  const auto put = [&](size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  put(0, name);
  put(100, "0000644");
  put(124, fmt::format("{:011o}", bytes.size()));
  put(136, "00000000000");
  put(kChecksum, "        ");
  header[156] = type;
  if (type == '2') put(157, "target.jpg");
  put(257, "ustar");
  put(263, "00");
  const int sum = std::accumulate(header.begin(), header.end(), 0,
                                  [](int s, char c) { return s + static_cast<unsigned char>(c); });
  put(kChecksum, fmt::format("{:06o}", sum) + '\0');
  return header + bytes + std::string((kBlock - bytes.size() % kBlock) % kBlock, '\0');
}

std::string made_tar(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string tar;
  for (const auto& [name, bytes] : files) tar += tar_member(name, bytes);
  return tar + std::string(1024, '\0');
}

}  // namespace swinzoo
