// swinzoo.lock.
#include "tests/fuzz/input.h"
#include "zoo/lock_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const std::string text = fuzz::text_of(data, size);
  fuzz::read_or_refuse([&] {
    const zoo::LockFile lock = zoo::lock_file_from(parse_json(text, "fuzz"), "fuzz");
    const std::string written = zoo::to_text(lock);
    try {
      const zoo::LockFile again = zoo::lock_file_from(parse_json(written, "written"), "written");
      fuzz::require(zoo::to_text(again) == written, "a lock file reads back");
    } catch (const Error& error) {
      fuzz::require(false, error.what());
    }
  });
  return 0;
}
