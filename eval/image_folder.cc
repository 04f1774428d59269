#include "eval/image_folder.h"

#include <algorithm>
#include <compare>
#include <system_error>

#include "eval/video_decoder.h"
#include "formats/error.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Takes the longest run of digits, or of anything else, off the front.
std::string_view take_run(std::string_view& text, bool digits) {
  size_t length = 0;
  while (length < text.size() && is_digit(text[length]) == digits) ++length;
  const std::string_view run = text.substr(0, length);
  text.remove_prefix(length);
  return run;
}

// As text without case.
std::strong_ordering compare_text(std::string_view a, std::string_view b) {
  const auto code = [](char c) { return static_cast<unsigned char>(lower(c)); };
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end(),
                                                [&](char x, char y) { return code(x) <=> code(y); });
}

// As numbers of any length; no digits at all come before any number.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.size() <=> b.size();
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

using IsWanted = bool (*)(const fs::path&);

// `above` holds the folders from the root down to this one, so that a link back up ends there.
void collect(const fs::path& folder, IsWanted is_wanted, std::vector<fs::path>& above,
             std::vector<fs::path>& files) {
  const fs::path real = fs::canonical(folder);
  if (std::find(above.begin(), above.end(), real) != above.end()) return;
  above.push_back(real);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::error_code broken_link;
    if (entry.is_directory(broken_link)) {
      collect(entry.path(), is_wanted, above, files);
    } else if (is_wanted(entry.path())) {
      files.push_back(entry.path());
    }
  }
  above.pop_back();
}

}  // namespace

bool is_image_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), &lower);
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg" || extension == ".webp";
}

bool natural_less(std::string_view a, std::string_view b) {
  std::string_view rest_a = a;
  std::string_view rest_b = b;
  while (!rest_a.empty() || !rest_b.empty()) {
    auto order = compare_text(take_run(rest_a, false), take_run(rest_b, false));
    if (order == 0) order = compare_numbers(take_run(rest_a, true), take_run(rest_b, true));
    if (order != 0) return order < 0;
  }
  return a < b;
}

std::vector<std::string> list_images(const fs::path& root) {
  if (!fs::is_directory(root)) fail(ErrorCode::kNotFound, "{}: no such folder", root.string());
  std::vector<fs::path> images;
  std::vector<fs::path> above;
  try {
    collect(root, &is_image_name, above, images);
    if (images.empty()) collect(root, &is_video_name, above, images);
  } catch (const fs::filesystem_error& error) {
    fail(ErrorCode::kFailed, "{}: cannot be listed: {}", root.string(), error.what());
  }
  if (images.empty()) {
    fail(ErrorCode::kNotFound,
         "{}: no images or videos; expected CLASS/NAME.jpg, .jpeg, .png or .webp, or .mp4 and the like",
         root.string());
  }
  std::vector<std::string> paths;
  for (const fs::path& image : images) paths.push_back(image.lexically_relative(root).string());
  std::sort(paths.begin(), paths.end(), &natural_less);
  return paths;
}

}  // namespace swinzoo::eval
