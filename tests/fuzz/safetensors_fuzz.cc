#include "formats/safetensors.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  fuzz::InputFile input("fuzz.safetensors", fuzz::bytes_of(data, size));
  fuzz::read_or_refuse([&] {
    auto file = input.map();
    looks_like_safetensors(*file);
    fuzz::read_all(*open_safetensors(std::move(file)));
  });
  return 0;
}
