// .npz files (numpy.savez, savez_compressed): a zip archive of .npy files, each a tensor named as its member
// without ".npy". Arrays in Fortran order (what saving a transposed array makes) are put into C order when
// read. metadata() says under "left_out" which members are no arrays.
#pragma once

#include <memory>

#include "formats/checkpoint.h"

namespace swinzoo {

class MappedFile;

// Whether the file is a zip archive with a member that ends in ".npy".
bool looks_like_npz(const MappedFile& file);

// Throws kCorrupt if the file is damaged, kUnsupported if a member is an array of a dtype not read here.
std::unique_ptr<Checkpoint> open_npz(std::unique_ptr<MappedFile> file);

}  // namespace swinzoo
