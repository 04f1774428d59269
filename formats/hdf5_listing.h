// What an HDF5 file (hdf5.h) holds: made of what the child process that runs libhdf5 tells of it
// (hdf5_child.h: list_hdf5). That is trusted as little as the file: a damaged file may do anything to
// libhdf5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/checkpoint.h"

namespace swinzoo {

struct Hdf5DataSet {
  TensorInfo info;  // named by its path from the root: "/a/b"
  uint64_t bytes;
  uint64_t address;
  std::optional<uint64_t> offset;  // of the elements, if they can be read in place: these lie in the file
};

struct Hdf5Contents {
  std::vector<TensorInfo> tensors;
  std::vector<Hdf5DataSet> data_sets;  // those of `tensors`
  std::map<std::string, std::string> metadata;
};

// What is told beside the file, in a .keras archive.
struct Hdf5Beside {
  std::map<std::string, std::string> metadata;
  std::vector<std::string> left_out;
};

// Throws kCorrupt where `told` is not as list_hdf5 writes it, or not of that file, and kUnsupported where it
// says so.
Hdf5Contents hdf5_contents(std::string_view told, std::span<const std::byte> file, Hdf5Beside beside);

}  // namespace swinzoo
