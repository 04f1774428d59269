// .npy and .npz.
#include "formats/npy.h"
#include "formats/npz.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const auto bytes = fuzz::mended(fuzz::bytes_of(data, size), &fuzz::mend_zip);
  fuzz::InputFile input("fuzz.npz", bytes);
  fuzz::read_or_refuse([&] {
    auto file = input.map();
    looks_like_npz(*file);
    fuzz::read_all(*open_npz(std::move(file)));
  });
  fuzz::read_or_refuse([&] { parse_npy_header(bytes, bytes.size(), "fuzz.npy"); });
  fuzz::read_or_refuse([&] { read_npy(input.path()); });
  return 0;
}
