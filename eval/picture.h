// Pictures of what a model makes of an image, for people to look at.
#pragma once

#include <filesystem>
#include <span>

#include "eval/attention_map.h"
#include "eval/image.h"

namespace swinzoo::eval {

// The map in colours (Turbo: blue is its least, red its most) over the image in gray, smoothly enlarged to the image's
// size.
Image heat_over(const Image& image, const TokenMap& map);

// The first three principal components of features [height, width, channels] as red, green and blue, one pixel a token,
// each from its 1st to its 99th percentile. A component's sign is such that its largest weight is positive.
Image principal_components(std::span<const float> features, int64_t height, int64_t width, int64_t channels);

// Throws kDiskFull and what else writing a file throws.
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace swinzoo::eval
