// A tar or tar.gz that is unpacked to disk: whatever it says, nothing may appear outside its folder.
#include "formats/unpack.h"

#include <unistd.h>

#include <filesystem>

#include "tests/fuzz/checksums.h"
#include "tests/fuzz/input.h"

namespace fs = std::filesystem;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const fs::path home = fs::path("/dev/shm") / ("swinzoo-fuzz-" + std::to_string(::getpid()));
  const fs::path folder = home / "unpacked";
  fs::create_directories(home);
  const fuzz::InputFile input("fuzz.tar.gz", fuzz::mended(fuzz::bytes_of(data, size), &fuzz::mend_tar));
  bool unpacked = false;
  fuzz::read_or_refuse([&] {
    for (const UnpackedFile& file : unpack_tar(input.path(), folder, {})) {
      fuzz::require(fs::file_size(folder / file.name) == file.size, "a file as it was listed");
    }
    unpacked = true;
  });
  for (const auto& found : fs::recursive_directory_iterator(home)) {
    fuzz::require(!found.is_symlink() && (found.is_regular_file() || found.is_directory()), "a plain file");
  }
  const auto entries = std::distance(fs::directory_iterator(home), fs::directory_iterator());
  fuzz::require(entries == (unpacked ? 1 : 0) && fs::exists(folder) == unpacked, "one folder, or none");
  fs::remove_all(home);
  return 0;
}
