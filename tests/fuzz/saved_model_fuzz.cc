// A SavedModel in a tar or tar.gz.
#include <cstdlib>

#include "formats/saved_model.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  // Where weights are unpacked to: memory.
  static const int set = ::setenv("TMPDIR", "/dev/shm", 1);
  fuzz::require(set == 0, "setenv");
  fuzz::InputFile input("fuzz.tar.gz", fuzz::mended(fuzz::bytes_of(data, size), &fuzz::mend_tar));
  fuzz::read_or_refuse([&] {
    auto file = input.map();
    looks_like_saved_model_archive(*file);
    fuzz::read_all(*open_saved_model_archive(std::move(file)));
  });
  return 0;
}
