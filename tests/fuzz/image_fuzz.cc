// JPEG and PNG.
#include "eval/image.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const auto bytes = fuzz::mended(fuzz::bytes_of(data, size), &fuzz::mend_png);
  fuzz::read_or_refuse([&] {
    const eval::Image image = eval::decode_image(bytes, "fuzz");
    fuzz::require(image.rgb.size() == static_cast<size_t>(image.width * image.height * 3), "a whole image");
  });
  return 0;
}
