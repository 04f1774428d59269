// .npy files (numpy.lib.format, version 1 to 3): inputs, and the members of .npz files.
//
//   "\x93NUMPY", major, minor version (a byte each)
//   2 bytes (version 1) or 4   N, little-endian
//   N bytes                    a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
//   the rest                   the elements
#pragma once

#include <filesystem>
#include <string>

#include "formats/tensor.h"

namespace swinzoo {

struct NpyHeader {
  DType dtype;
  Shape shape;
  bool fortran_order;  // the elements are column-major
  uint64_t data;       // where they start
};

// The longest header that is read, from the magic on; numpy itself trusts no longer literal than 10,000
// bytes.
constexpr uint64_t kLongestNpyHeader = 10'000 + 12;

// Reads the header from a file's first bytes (kLongestNpyHeader of them, or the whole file where it is
// shorter), and checks that its elements take the rest of `file_size`. `where` starts messages. Throws
// kCorrupt if it is damaged, kUnsupported for a dtype that is none of ours or is not little-endian.
NpyHeader parse_npy_header(std::span<const std::byte> start, uint64_t file_size, const std::string& where);

// Reads an array of float32 or float64, little-endian and in C order, as float32. Throws kCorrupt if the file
// is damaged, kUnsupported if it holds another dtype or order.
Tensor read_npy(const std::filesystem::path& path);

}  // namespace swinzoo
