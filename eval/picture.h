// Pictures of what a model makes of an image, for people to look at.
#pragma once

#include <filesystem>
#include <span>

#include "eval/attention_map.h"
#include "eval/image.h"

namespace swinzoo::eval {

// Each side times the least whole number that makes the shorter one at least `side`; bicubic.
Image enlarged(const Image& image, int64_t side);

// The map in colours (Turbo: blue is its least, red its most) over the image in gray. A patch is `patch`
// pixels of the image wide and high.
Image heat_over(const Image& image, const TokenMap& map, int64_t patch);

// An image with one pixel a token as a smooth one of width x height pixels, where a token is `side` pixels
// wide and high: what lies beyond (padding of patches and mergings) is cut off.
Image spread_tokens(const Image& tokens, int64_t side, int64_t width, int64_t height);

// The first three principal components of features [height, width, channels] as red, green and blue, one
// pixel a token, each from its 1st to its 99th percentile. A component's sign is such that its largest weight
// is positive; where features have fewer components, the others are half bright. Throws kFailed where
// features are not finite.
Image principal_components(std::span<const float> features, int64_t height, int64_t width, int64_t channels);

// The second right of the first, white between them. REQUIRES: equal heights.
Image side_by_side(const Image& left, const Image& right);

// Throws kDiskFull and what else writing a file throws.
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace swinzoo::eval
