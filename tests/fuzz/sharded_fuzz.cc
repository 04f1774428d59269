// A sharded checkpoint. The input is 4 bytes N (little-endian), N bytes of the index, and what the shard
// b.safetensors holds; a.safetensors beside it is always the same, with the tensors "a" and "c".
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "formats/sharded.h"
#include "tests/fuzz/input.h"

namespace {

namespace fs = std::filesystem;
using namespace swinzoo;

void write(const fs::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  fuzz::require(out.flush().good(), "writing a file");
}

// In memory; removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = "/dev/shm/fuzz-sharded-XXXXXX";
    fuzz::require(::mkdtemp(name.data()) != nullptr, "mkdtemp");
    path_ = name;
    const std::string header =
        R"({"__metadata__":{"format":"pt"},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
        R"("c":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}})";
    const uint64_t length = header.size();
    std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
    write(path_ / "a.safetensors", bytes + header + std::string(4, '\1'));
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Folder folder;
  uint32_t length = 0;
  if (size < sizeof length) return 0;
  std::memcpy(&length, data, sizeof length);
  const std::string files = fuzz::text_of(data + sizeof length, size - sizeof length);
  const size_t index_size = std::min<size_t>(length, files.size());
  const fs::path index = folder.path() / "model.safetensors.index.json";
  write(index, std::string_view(files).substr(0, index_size));
  write(folder.path() / "b.safetensors", std::string_view(files).substr(index_size));
  fuzz::read_or_refuse([&] { fuzz::read_all(*open_checkpoint(index)); });
  return 0;
}
