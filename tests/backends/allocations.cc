#include "tests/backends/allocations.h"

#include <atomic>
#include <cstddef>

namespace {

std::atomic<int64_t> count = 0;

}  // namespace

#if defined(__SANITIZE_ADDRESS__)

// The sanitizer has malloc's place, and tells of each call.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, size_t),
                                                         void (*on_free)(const volatile void*));
namespace {

const int kInstalled = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t) { ++count; }, [](const volatile void*) {});

}  // namespace

#else

// The program's own come before the C library's, whose own names do the work. operator new calls malloc.
extern "C" {

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t number, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  ++count;
  return __libc_malloc(size);
}
void* calloc(size_t number, size_t size) {
  ++count;
  return __libc_calloc(number, size);
}
void* realloc(void* memory, size_t size) {
  ++count;
  return __libc_realloc(memory, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  ++count;
  return __libc_memalign(alignment, size);
}
}

#endif

namespace swinzoo::backends {

int64_t allocations() { return count; }

}  // namespace swinzoo::backends
