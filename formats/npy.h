// .npy files (numpy.lib.format: version 1 to 3), for inputs.
#pragma once

#include <filesystem>

#include "formats/tensor.h"

namespace swinzoo {

// Reads an array of float32 or float64, little-endian and in C order, as float32. Throws kCorrupt if the file
// is damaged, kUnsupported if it holds another dtype or order.
Tensor read_npy(const std::filesystem::path& path);

}  // namespace swinzoo
