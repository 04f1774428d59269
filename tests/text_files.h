// Small files of a test, as texts.
#pragma once

#include <filesystem>
#include <string>

namespace swinzoo {

std::string read_text(const std::filesystem::path& path);  // empty where there is no such file

// With the folders above it.
void write_text(const std::filesystem::path& path, const std::string& text);

std::string sha256_of(const std::string& text);  // hex

}  // namespace swinzoo
