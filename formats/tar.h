// The files in a tar archive (ustar, pax, GNU; libarchive reads the headers), where they stand: nothing is
// unpacked or copied, so any of them can be read at any time, by any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace swinzoo {

class MappedFile;

struct TarMember {
  std::string name;  // without a leading "./"; only a name: nothing is ever written to it
  std::span<const std::byte> bytes;
};

// The regular files in their order; folders are left out. The members look into the file's map, which must
// outlive them. Only headers are read. Throws kUnsupported for a compressed archive; kCorrupt, naming the
// file, for a damaged one, one that does not end as archives do (a download that broke off), for names that
// stand twice, and for links, devices and sparse files.
std::vector<TarMember> list_tar(const MappedFile& file);

}  // namespace swinzoo
