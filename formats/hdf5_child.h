// HDF5 files as libhdf5 reads them. Only for a child process (child_process.h): libhdf5 1.10 has known faults
// on damaged files. Its global state is made in the child and ends with it, and so do handles, which are only
// closed where there may be many.
//
// The file is bytes in memory, seen by libhdf5 through a driver of ours that reads these and opens nothing
// else. Only hard links are followed; external storage, virtual data sets and filters other than deflate,
// shuffle and Fletcher-32 are refused, and plugins are off: a file can't make us read another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace swinzoo {

// What the file holds, as JSON:
//   {"data_sets": [{"path": "/a/b", "dtype": "F32", "shape": [2, 3], "address": 800,
//                   "offset": 2048 of dense little-endian elements, or absent; "stored": 24 bytes}],
//    "attributes": [{"group": "/a", "name": "weight_names", "values": ["..."]}] those of text, and empty
//    ones, "not_followed": ["/link", ...] links that are not hard, and named types}
// or {"error": "...", "code": an ErrorCode} where it can't be read. Paths are in the order of names. Data
// sets stand there once a path, groups once.
std::string list_hdf5(std::span<const std::byte> file);

// The elements of the data set at that address, little-endian and dense. Throws kCorrupt if these are not as
// many bytes as `elements` has room for.
void read_hdf5(std::span<const std::byte> file, uint64_t address, std::span<std::byte> elements);

}  // namespace swinzoo
