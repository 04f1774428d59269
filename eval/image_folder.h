// A folder of images in classes, listed and labelled as timm's ImageFolder reader does
// (timm 1.0.31's data/readers/reader_image_folder.py, utils/misc.py: natural_key).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace swinzoo::eval {

struct Sample {
  std::filesystem::path path;
  int64_t label = 0;  // index into ImageFolder::classes
};

struct ImageFolder {
  std::vector<std::string> classes;  // names of the folders that hold images themselves, in natural order
  std::vector<Sample> samples;       // in natural order of their paths
};

// Files that end in .png, .jpg or .jpeg (in any case) under root, at any depth, links followed. An image's
// class is the name of the folder it lies in; folders without images are no classes. Throws kNotFound if root
// is missing or holds no image, kCorrupt if images lie directly in root, where nothing says which class they
// are.
ImageFolder list_image_folder(const std::filesystem::path& root);

// Whether a file's name ends as an image's does: .png, .jpg or .jpeg, in any case.
bool is_image_name(const std::filesystem::path& path);

// timm's order: digits by value, the rest by code, letters without case (ASCII's only). Equal keys ("img1",
// "img01") are ordered by their bytes, where timm leaves it to the file system.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace swinzoo::eval
