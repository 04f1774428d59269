// What the fuzz entries share. An entry is one file here with LLVMFuzzerTestOneInput: it takes a reader the
// whole way over one input, opening, listing, reading and releasing. Whatever the bytes are, the reader may
// throw swinzoo::Error and nothing else; all other exceptions, and what the sanitizers see, end the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/checkpoint.h"
#include "formats/error.h"
#include "formats/mapped_file.h"

// Called by libFuzzer, and by replay_main.cc.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace swinzoo::fuzz {

using Bytes = std::span<const std::byte>;

inline Bytes bytes_of(const uint8_t* data, size_t size) { return std::as_bytes(std::span(data, size)); }

inline std::string text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A file in memory. Under AddressSanitizer what follows its bytes in the map's last page may not be touched.
class InputFile {
 public:
  InputFile(std::string name, Bytes bytes);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // By which it can be opened, by a forked child too.
  std::string path() const;

  // The map must not outlive the file.
  std::unique_ptr<MappedFile> map();

 private:
  std::string name_;
  int fd_;
  std::vector<Bytes> behind_;  // what may not be touched
};

// Runs the reader; Error is its right to throw.
template <typename Run>
void read_or_refuse(Run run) {
  try {
    run();
  } catch (const Error&) {
  }
}

// Reads every byte.
void touch(Bytes bytes);

// Reads every tensor, each of which may be refused.
void read_all(const Checkpoint& checkpoint);

// Stops the program if what always holds of a reader's results does not.
void require(bool holds, const char* what);

}  // namespace swinzoo::fuzz
