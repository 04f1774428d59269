// A MAT-file with a struct array.
#include "formats/matlab.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  fuzz::InputFile input("fuzz.mat", fuzz::bytes_of(data, size));
  fuzz::read_or_refuse([&] {
    const auto file = input.map();
    looks_like_matlab(*file);
    const MatlabStructs structs = read_matlab_structs(*file, "synsets");
    const size_t count = structs.field("WNID").size();
    for (const auto& [name, values] : structs.fields)
      fuzz::require(values.size() == count, "a value a struct");
  });
  return 0;
}
