#include "formats/pickle.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  fuzz::Bytes rest = fuzz::bytes_of(data, size);
  fuzz::read_or_refuse([&] {
    do {
      const Pickle pickle(rest, [](std::string_view global) { return global != "posix.system"; });
      const auto count = pickle.values().size();
      fuzz::require(pickle.top() < count && pickle.size() <= rest.size(), "a pickle has a top and an end");
      for (const PickleValue& value : pickle.values()) {
        for (const PickleRef item : value.items) fuzz::require(item < count, "an item is a value");
        fuzz::require(value.callable < count && value.arguments < count, "a call is of values");
        fuzz::touch(std::as_bytes(std::span(value.text)));
      }
      rest = rest.subspan(pickle.size());
    } while (!rest.empty());
  });
  return 0;
}
