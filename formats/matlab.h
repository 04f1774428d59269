// MATLAB 5 MAT-files ("MAT-File Format", MathWorks), as far as ImageNet's devkit needs them: struct arrays of
// texts and numbers.
//
//   header    116 bytes of text "MATLAB 5.0 ...", 8 more, version 0x0100, "IM" (little-endian)
//   elements  type u32, size u32, bytes, padded to 8; of at most 4 bytes: type u16, size u16, bytes in 4
//   a matrix  (type 14, or deflated in one of type 15): flags and class, dimensions, name, then by class:
//             a struct array: the length of field names, the names, a matrix a field of each struct
//             texts and numbers: one element, of any type that holds the values
//
// Refused: big-endian files, version 7.3 (which is HDF5), files that inflate to over 64 MiB.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace swinzoo {

class MappedFile;

// A text, or an array of real numbers; both empty for anything else (cells, structs in structs).
struct MatlabValue {
  std::string text;             // codes over 127 as '?'
  std::vector<double> numbers;  // in the file's order: column by column
};

struct MatlabStructs {
  std::string name;                                        // "meta.mat: synsets", for messages
  std::map<std::string, std::vector<MatlabValue>> fields;  // a value a struct

  // Throws kCorrupt if the structs have no such field.
  const std::vector<MatlabValue>& field(const std::string& field_name) const;
};

// Whether the file begins as MATLAB 5's do.
bool looks_like_matlab(const MappedFile& file);

// The struct array of that name. Throws kCorrupt if the file is damaged or has no such struct array;
// kUnsupported for what is not read here.
MatlabStructs read_matlab_structs(const MappedFile& file, const std::string& name);

}  // namespace swinzoo
