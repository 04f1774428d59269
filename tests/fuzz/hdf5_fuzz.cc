// HDF5 files and .keras archives, child processes included. libFuzzer sees no coverage there, and libhdf5 is
// not instrumented: what is looked for is what it can do to this process. hdf5_listing_fuzz.cc has the rest.
#include <pthread.h>
#include <sys/resource.h>

#include <cstdlib>

#include "formats/hdf5.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/input.h"

namespace {

// What libhdf5 does with an input takes milliseconds, or has no end.
void shorten_child() {
  const rlimit second = {1, 1};
  ::setrlimit(RLIMIT_CPU, &second);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  static const int set =
      ::setenv("TMPDIR", "/dev/shm", 1) | ::pthread_atfork(nullptr, nullptr, &shorten_child);
  fuzz::require(set == 0, "setenv and pthread_atfork");
  fuzz::InputFile input("fuzz.h5", fuzz::mended(fuzz::bytes_of(data, size), &fuzz::mend_zip));
  fuzz::read_or_refuse([&] {
    auto file = input.map();
    const bool is_keras = looks_like_keras(*file);
    looks_like_hdf5(*file);
    const auto checkpoint = is_keras ? open_keras(std::move(file)) : open_hdf5(std::move(file));
    constexpr size_t kMostBytes = 1 << 20;  // children may have to send 64 MB a data set, from nothing
    Tensor scratch;
    for (size_t i = 0, bytes = 0; i < checkpoint->tensors().size(); ++i) {
      const TensorInfo& tensor = checkpoint->tensors()[i];
      bytes += static_cast<size_t>(element_count(tensor.shape)) * size_of(tensor.dtype);
      if (bytes > kMostBytes) break;
      const TensorView view = checkpoint->read(i, scratch);
      fuzz::require(view.dtype == tensor.dtype && view.shape == tensor.shape, "a tensor as it was listed");
      fuzz::touch(view.bytes);
      checkpoint->release(i);
    }
  });
  return 0;
}
