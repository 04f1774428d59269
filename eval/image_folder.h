// A folder of images, listed and ordered as timm's ImageFolder reader does
// (timm 1.0.31's data/readers/reader_image_folder.py, utils/misc.py: natural_key).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace swinzoo::eval {

// The files that end in .png, .jpg, .jpeg or .webp (in any case) under root, at any depth, links followed;
// where there are none, those that are named as videos (is_video_name): their paths from root on, in natural
// order. Throws kNotFound if root is missing, no folder or without either.
std::vector<std::string> list_images(const std::filesystem::path& root);

// Whether a file's name ends as an image's does, in any case. timm takes .webp only where it is
// told to (--input-key).
bool is_image_name(const std::filesystem::path& path);

// timm's order: digits by value, the rest by code, letters without case (ASCII's only). Equal keys ("img1",
// "img01") are ordered by their bytes, where timm leaves it to the file system.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace swinzoo::eval
