// Both layouts of torch.save.
#include "formats/pytorch.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  fuzz::InputFile input("fuzz.pth", fuzz::mended(fuzz::bytes_of(data, size), &fuzz::mend_zip));
  fuzz::read_or_refuse([&] {
    auto file = input.map();
    looks_like_pytorch(*file);
    fuzz::read_all(*open_pytorch(std::move(file)));
  });
  return 0;
}
