// Inputs that are tensors already: read from a file, or made from a seed.
#pragma once

#include <cstdint>
#include <filesystem>

#include "formats/tensor.h"

namespace swinzoo::eval {

// An .npy file, or the tensor `x` of a checkpoint file of any format, as float32. Throws kNotFound if there
// is no such file or tensor, kUnsupported for integers, kCorrupt.
Tensor read_input_tensor(const std::filesystem::path& path);

// Its shape; of a checkpoint file, without reading the tensor. Throws as read_input_tensor.
Shape input_tensor_shape(const std::filesystem::path& path);

// Evenly spread over [-2, 2), about the range of normalised images. The same on every machine.
Tensor seeded_input(const Shape& shape, uint32_t seed);

}  // namespace swinzoo::eval
