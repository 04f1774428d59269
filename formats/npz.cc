#include "formats/npz.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "formats/error.h"
#include "formats/mapped_file.h"
#include "formats/npy.h"
#include "formats/zip.h"

namespace swinzoo {
namespace {

constexpr std::string_view kSuffix = ".npy";

class NpzFile : public Checkpoint {
 public:
  explicit NpzFile(std::unique_ptr<MappedFile> file) : file_(std::move(file)) {
    try {
      parse();
    } catch (const Error& error) {
      fail(error.code(), "{}: .npz file: {}", file_->path().string(), error.what());
    }
  }

  std::string_view format() const override { return "npz"; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }

  TensorView read(size_t index, Tensor& scratch) const override {
    const TensorInfo& info = tensors_[index];
    const Member& member = members_[index];
    try {
      const TensorView stored = stored_order(info, member, scratch);
      if (!member.fortran_order) return stored;
      scratch = gathered(info.dtype, info.shape, column_major_strides(info.shape), stored.bytes);
      return scratch.view();
    } catch (const Error& error) {
      fail(error.code(), "{}: .npz file: {}", file_->path().string(), error.what());
    }
  }

  void release(size_t index) const override {
    const ZipEntry& entry = *members_[index].entry;
    file_->release(file_->bytes().subspan(entry.offset, entry.stored_size));
  }

 private:
  struct Member {
    const ZipEntry* entry;
    uint64_t data;
    bool fortran_order;
  };

  void parse() {
    zip_.emplace(file_->bytes());
    std::string left_out;
    for (const ZipEntry& entry : zip_->entries()) {
      if (entry.name.ends_with(kSuffix)) {
        add(entry);
      } else {
        left_out += (left_out.empty() ? "" : ", ") + entry.name;
      }
    }
    if (!left_out.empty()) metadata_["left_out"] = left_out;
  }

  void add(const ZipEntry& entry) {
    std::vector<std::byte> start(std::min(entry.size, kLongestNpyHeader));
    zip_->read(entry, {start});
    NpyHeader header = parse_npy_header(start, entry.size, entry.name);
    tensors_.push_back(
        {entry.name.substr(0, entry.name.size() - kSuffix.size()), header.dtype, std::move(header.shape)});
    members_.push_back({&entry, header.data, header.fortran_order});
  }

  // The elements in the file's order, under the array's shape.
  TensorView stored_order(const TensorInfo& info, const Member& member, Tensor& scratch) const {
    if (!member.entry->deflated) {
      return aligned({info.dtype, info.shape, zip_->view(*member.entry).subspan(member.data)}, scratch);
    }
    std::vector<std::byte> header(member.data);
    scratch = Tensor(info.dtype, info.shape);
    zip_->read(*member.entry, {header, scratch.bytes()});
    return scratch.view();
  }

  std::unique_ptr<MappedFile> file_;
  std::optional<ZipArchive> zip_;
  std::vector<TensorInfo> tensors_;
  std::vector<Member> members_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace

bool looks_like_npz(const MappedFile& file) {
  return zip_holds(file, [](std::string_view name) { return name.ends_with(kSuffix); });
}

std::unique_ptr<Checkpoint> open_npz(std::unique_ptr<MappedFile> file) {
  return std::make_unique<NpzFile>(std::move(file));
}

}  // namespace swinzoo
