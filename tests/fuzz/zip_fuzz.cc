#include "formats/zip.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const auto bytes = fuzz::mended(fuzz::bytes_of(data, size), &fuzz::mend_zip);
  fuzz::read_or_refuse([&] {
    const ZipArchive archive(bytes);
    for (const ZipEntry& entry : archive.entries()) {
      fuzz::require(archive.find(entry.name) == &entry, "an entry is found by its name");
      fuzz::read_or_refuse([&] { archive.read(entry, 1 << 20); });
      fuzz::read_or_refuse([&] {
        std::byte head[3], next[5];
        archive.read(entry, {head, next});
      });
      if (!entry.deflated) fuzz::read_or_refuse([&] { archive.view(entry); });
    }
  });
  return 0;
}
