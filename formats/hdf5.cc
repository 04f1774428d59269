#include "formats/hdf5.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "formats/child_process.h"
#include "formats/error.h"
#include "formats/hdf5_child.h"
#include "formats/hdf5_listing.h"
#include "formats/mapped_file.h"
#include "formats/temporary_file.h"
#include "formats/zip.h"

namespace swinzoo {
namespace {

using std::chrono::seconds;

constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
constexpr std::string_view kWeights = "model.weights.h5";
constexpr uint64_t kMebibyte = uint64_t{1} << 20;

// Listing takes milliseconds; the rest is for slow machines.
constexpr ChildLimits kListLimits = {512 * kMebibyte, seconds(10), seconds(60)};
constexpr uint64_t kMostListing = 64 * kMebibyte;
constexpr uint64_t kMostText = 16 * kMebibyte;

// Room for a chunk as stored and as inflated, twice while it grows; time at 20 MB/s.
ChildLimits read_limits(uint64_t bytes) {
  const seconds work(bytes / 20'000'000);
  return {256 * kMebibyte + 4 * bytes, seconds(10) + work, seconds(60) + 3 * work};
}

// Refuses what is no HDF5 file, or shorter than its superblock says (HDF5 File Format Specification 3.0,
// II.A: the end-of-file address). libhdf5 checks that too; this saves a child and says more.
void check_length(std::span<const std::byte> file) {
  checked_range(file, 0, 52, "the superblock");
  if (!std::ranges::equal(file.first(kSignature.size()), std::as_bytes(std::span(kSignature)))) {
    fail(ErrorCode::kCorrupt, "it does not start as HDF5 files do");
  }
  const auto version = static_cast<unsigned>(file[8]);
  const std::byte address_size = version < 2 ? file[13] : file[9];
  if (version > 3 || address_size != std::byte{8}) {
    fail(ErrorCode::kUnsupported, "superblock version {} with addresses of {} bytes", version,
         static_cast<unsigned>(address_size));
  }
  constexpr std::array<size_t, 4> kEnd = {40, 44, 28, 28};
  uint64_t end = 0;
  std::memcpy(&end, file.data() + kEnd[version], sizeof end);
  if (end > file.size()) fail(ErrorCode::kCorrupt, "it is cut short: {} of {} bytes", file.size(), end);
}

struct Source {
  std::unique_ptr<MappedFile> file;
  std::span<const std::byte> hdf5;  // in `file`
  Hdf5Beside beside;
};

Hdf5Contents list_in_child(std::span<const std::byte> file, Hdf5Beside beside) {
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kMostListing);
  const size_t size = run_in_child(kListLimits, {buffer.get(), kMostListing}, [&](const Send& send) {
    const std::string text = list_hdf5(file);
    send(std::as_bytes(std::span(text)));
  });
  return hdf5_contents({reinterpret_cast<const char*>(buffer.get()), size}, file, std::move(beside));
}

class Hdf5File : public Checkpoint {
 public:
  Hdf5File(std::string_view format, Source source)
      : format_(format), file_(std::move(source.file)), hdf5_(source.hdf5) {
    check_length(hdf5_);
    contents_ = list_in_child(hdf5_, std::move(source.beside));
  }

  std::string_view format() const override { return format_; }
  const std::vector<TensorInfo>& tensors() const override { return contents_.tensors; }
  const std::map<std::string, std::string>& metadata() const override { return contents_.metadata; }

  TensorView read(size_t index, Tensor& scratch) const override {
    const TensorInfo& info = contents_.tensors[index];
    const Hdf5DataSet& set = contents_.data_sets[index];
    if (set.offset) {
      return aligned({info.dtype, info.shape, hdf5_.subspan(*set.offset, set.bytes)}, scratch);
    }
    scratch = Tensor(info.dtype, info.shape);
    if (set.bytes == 0) return scratch.view();
    try {
      const size_t size = run_in_child(read_limits(set.bytes), scratch.bytes(), [&](const Send& send) {
        read_hdf5(hdf5_, set.address, scratch.bytes());  // into the child's copy
        send(scratch.bytes());
      });
      if (size != set.bytes) fail(ErrorCode::kCorrupt, "it has {} bytes instead of {}", size, set.bytes);
    } catch (const Error& error) {
      fail(error.code(), "{}: data set {}: {}", file_->path().string(), set.info.name, error.what());
    }
    return scratch.view();
  }

  void release(size_t index) const override {
    const Hdf5DataSet& set = contents_.data_sets[index];
    if (set.offset) file_->release(hdf5_.subspan(*set.offset, set.bytes));
  }

 private:
  std::string_view format_;
  std::unique_ptr<MappedFile> file_;
  std::span<const std::byte> hdf5_;
  Hdf5Contents contents_;
};

// An entry in a file of its own.
std::unique_ptr<MappedFile> unpack(const ZipArchive& zip, const ZipEntry& entry, const MappedFile& archive) {
  const TemporaryFile file;
  const auto size = static_cast<off_t>(entry.size);
  if (size > 0) {
    errno = ::posix_fallocate(file.fd(), 0, size);
    if (errno != 0) fail_errno("cannot be unpacked into $TMPDIR", archive.path().string());
    void* data = ::mmap(nullptr, entry.size, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0);
    if (data == MAP_FAILED) fail_errno("cannot be unpacked into $TMPDIR", archive.path().string());
    const auto unmap = [&](void* map) { ::munmap(map, entry.size); };
    const std::unique_ptr<void, decltype(unmap)> map(data, unmap);
    zip.read(entry, {std::span(static_cast<std::byte*>(data), entry.size)});
  }
  return std::make_unique<MappedFile>(archive.path(), file.fd());
}

std::string text_of(const ZipArchive& zip, const ZipEntry& entry) {
  const std::vector<std::byte> bytes = zip.read(entry, kMostText);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

bool looks_like_hdf5(const MappedFile& file) {
  return std::ranges::equal(file.bytes().first(std::min(file.bytes().size(), kSignature.size())),
                            std::as_bytes(std::span(kSignature)));
}

bool looks_like_keras(const MappedFile& file) {
  return zip_holds(file, [](std::string_view name) { return name == kWeights; });
}

std::unique_ptr<Checkpoint> open_hdf5(std::unique_ptr<MappedFile> file) {
  const std::string path = file->path();
  try {
    const std::span<const std::byte> bytes = file->bytes();
    return std::make_unique<Hdf5File>("hdf5", Source{std::move(file), bytes, {}});
  } catch (const Error& error) {
    fail(error.code(), "{}: HDF5 file: {}", path, error.what());
  }
}

std::unique_ptr<Checkpoint> open_keras(std::unique_ptr<MappedFile> archive) {
  const std::string path = archive->path();
  try {
    const ZipArchive zip(archive->bytes());
    Source source;
    const ZipEntry* weights = nullptr;
    for (const ZipEntry& entry : zip.entries()) {
      if (entry.name == kWeights) {
        weights = &entry;
      } else if (entry.name == "config.json") {
        source.beside.metadata["model_config"] = text_of(zip, entry);
      } else if (entry.name == "metadata.json") {
        source.beside.metadata["metadata.json"] = text_of(zip, entry);
      } else {
        source.beside.left_out.push_back(entry.name);
      }
    }
    if (weights == nullptr) fail(ErrorCode::kCorrupt, "it has no {}", kWeights);
    if (weights->deflated) {
      source.file = unpack(zip, *weights, *archive);
      source.hdf5 = source.file->bytes();
    } else {
      source.hdf5 = zip.view(*weights);
      source.file = std::move(archive);
    }
    return std::make_unique<Hdf5File>("keras", std::move(source));
  } catch (const Error& error) {
    fail(error.code(), "{}: Keras archive: {}", path, error.what());
  }
}

}  // namespace swinzoo
