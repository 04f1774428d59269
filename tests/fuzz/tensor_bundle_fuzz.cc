// A TensorFlow checkpoint. The input is 4 bytes N (little-endian), N bytes of PREFIX.index, and what every
// shard holds.
#include <algorithm>
#include <cstring>

#include "formats/tensor_bundle.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  uint32_t length = 0;
  if (size < sizeof length) return 0;
  std::memcpy(&length, data, sizeof length);
  const fuzz::Bytes files = fuzz::bytes_of(data, size).subspan(sizeof length);
  const size_t index_size = std::min<size_t>(length, files.size());
  fuzz::InputFile index("fuzz.index", fuzz::mended(files.first(index_size), &fuzz::mend_table));
  fuzz::InputFile shard("fuzz.data", files.subspan(index_size));
  fuzz::read_or_refuse([&] {
    auto file = index.map();
    looks_like_tensor_bundle(*file);
    fuzz::read_all(
        *open_tensor_bundle({"fuzz", std::move(file), {}}, [&](const std::string&) { return shard.map(); }));
  });
  return 0;
}
