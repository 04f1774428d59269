#include "formats/leveldb_table.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const auto bytes = fuzz::mended(fuzz::bytes_of(data, size), &fuzz::mend_table);
  fuzz::read_or_refuse([&] {
    looks_like_leveldb_table(bytes);
    const auto entries = read_leveldb_table(bytes);
    for (size_t i = 0; i < entries.size(); ++i) {
      fuzz::require(i == 0 || entries[i - 1].key < entries[i].key, "keys rise");
      fuzz::touch(entries[i].value);
    }
  });
  return 0;
}
