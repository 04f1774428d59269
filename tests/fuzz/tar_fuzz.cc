// A tar archive of images.
#include "formats/tar.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  fuzz::InputFile input("fuzz.tar", fuzz::mended(fuzz::bytes_of(data, size), &fuzz::mend_tar));
  fuzz::read_or_refuse([&] {
    const auto file = input.map();
    for (const TarMember& member : list_tar(*file)) fuzz::touch(member.bytes);
  });
  return 0;
}
