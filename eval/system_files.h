// The system's small text files: /proc, /sys and the control groups.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/number.h"

namespace swinzoo::eval {

std::string_view trimmed(std::string_view text);

// Cuts the part before `separator` off the front of `text`, or all of it.
std::string_view take(std::string_view& text, char separator);

template <typename T>
std::optional<T> number_of(std::string_view text) {
  return whole_number<T>(trimmed(text));
}

// The whole text of a file whose size can't be asked for; empty if it can't be read.
std::string read_system_file(const std::filesystem::path& path);

std::string read_system_line(const std::filesystem::path& path);

// What lies in a folder and is named by the prefix and a number.
std::vector<std::filesystem::path> numbered(const std::filesystem::path& folder, std::string_view prefix);

// The number behind KEY in lines `KEY NUMBER`, as cpu.stat has them.
std::optional<int64_t> number_behind(std::string_view text, std::string_view key);

}  // namespace swinzoo::eval
