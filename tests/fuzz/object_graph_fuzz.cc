#include "formats/object_graph.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  fuzz::read_or_refuse([&] { object_paths(fuzz::bytes_of(data, size)); });
  return 0;
}
