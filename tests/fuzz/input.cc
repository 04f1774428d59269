#include "tests/fuzz/input.h"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace swinzoo::fuzz {

InputFile::InputFile(std::string name, Bytes bytes)
    : name_(std::move(name)), fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
  require(fd_ >= 0, "memfd_create");
  require(::write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), "write");
}

InputFile::~InputFile() {
  for (const Bytes part : behind_) ASAN_UNPOISON_MEMORY_REGION(part.data(), part.size());
  ::close(fd_);
}

std::string InputFile::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

std::unique_ptr<MappedFile> InputFile::map() {
  auto file = std::make_unique<MappedFile>(name_, fd_);
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const Bytes bytes = file->bytes();
  behind_.emplace_back(bytes.data() + bytes.size(), (page - bytes.size() % page) % page);
  ASAN_POISON_MEMORY_REGION(behind_.back().data(), behind_.back().size());
  return file;
}

void touch(Bytes bytes) {
  [[maybe_unused]] static volatile unsigned sum = 0;
  unsigned here = 0;
  for (const std::byte byte : bytes) here += std::to_integer<unsigned>(byte);
  sum = here;
}

void read_all(const Checkpoint& checkpoint) {
  Tensor scratch;
  const auto& tensors = checkpoint.tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    read_or_refuse([&] {
      const TensorView view = checkpoint.read(i, scratch);
      require(view.dtype == tensors[i].dtype && view.shape == tensors[i].shape, "a tensor as it was listed");
      require(view.bytes.size() == static_cast<size_t>(view.size()) * size_of(view.dtype), "a whole tensor");
      require(reinterpret_cast<uintptr_t>(view.bytes.data()) % size_of(view.dtype) == 0, "an aligned tensor");
      touch(view.bytes);
    });
    checkpoint.release(i);
  }
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: not so: %s\n", what);
  std::abort();
}

}  // namespace swinzoo::fuzz
