#include "formats/safetensors.h"

#include <algorithm>
#include <bit>
#include <boost/json/serialize.hpp>
#include <cassert>
#include <cstring>
#include <numeric>

#include "formats/error.h"
#include "formats/json.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kLargestHeader = 100'000'000;  // the limit of the safetensors library itself
constexpr const char* kMetadata = "__metadata__";

uint64_t header_length(std::span<const std::byte> bytes) {
  uint64_t length = 0;
  std::memcpy(&length, checked_range(bytes, 0, kLengthBytes, "the header's length").data(), kLengthBytes);
  return length;
}

uint64_t byte_count(const TensorInfo& tensor) {
  return static_cast<uint64_t>(element_count(tensor.shape)) * size_of(tensor.dtype);
}

struct Range {
  uint64_t begin, end;
};

class SafetensorsFile : public Checkpoint {
 public:
  explicit SafetensorsFile(std::unique_ptr<MappedFile> file) : file_(std::move(file)) {
    try {
      parse();
    } catch (const Error& error) {
      fail(error.code(), "{}: damaged safetensors file: {}", file_->path().string(), error.what());
    }
  }

  std::string_view format() const override { return "safetensors"; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }

  TensorView read(size_t index, Tensor& scratch) const override {
    const TensorInfo& info = tensors_[index];
    return aligned({info.dtype, info.shape, bytes_of(index)}, scratch);
  }

  void release(size_t index) const override { file_->release(bytes_of(index)); }

 private:
  std::span<const std::byte> bytes_of(size_t index) const {
    return data_.subspan(ranges_[index].begin, ranges_[index].end - ranges_[index].begin);
  }

  void parse() {
    const std::span<const std::byte> bytes = file_->bytes();
    const uint64_t length = header_length(bytes);
    if (length > kLargestHeader) fail(ErrorCode::kCorrupt, "the header claims {} bytes", length);
    const auto text = checked_range(bytes, kLengthBytes, length, "the header");
    data_ = bytes.subspan(kLengthBytes + length);
    const json::value header =
        parse_json({reinterpret_cast<const char*>(text.data()), text.size()}, "header");
    for (const auto& member : as_object(header, "header")) {
      const std::string name = member.key();
      if (name == kMetadata) {
        for (const auto& entry : as_object(member.value(), kMetadata)) {
          metadata_[entry.key()] = as_string(entry.value(), kMetadata);
        }
      } else {
        add(name, as_object(member.value(), name));
      }
    }
    check_cover();
  }

  void add(const std::string& name, const json::object& object) {
    const auto dtype_name = find_string(object, "dtype", name);
    const auto shape = find_ints(object, "shape", name);
    const auto offsets = find_ints(object, "data_offsets", name);
    if (!dtype_name || !shape || !offsets || offsets->size() != 2 || offsets->at(0) < 0 ||
        offsets->at(1) < offsets->at(0)) {
      fail(ErrorCode::kCorrupt, "tensor {}: its header needs a dtype, a shape and two rising data_offsets",
           name);
    }
    const std::optional<DType> dtype = dtype_from_name(*dtype_name);
    if (!dtype) fail(ErrorCode::kUnsupported, "tensor {}: unknown dtype '{}'", name, *dtype_name);
    const Range range{static_cast<uint64_t>(offsets->at(0)), static_cast<uint64_t>(offsets->at(1))};
    checked_range(data_, range.begin, range.end - range.begin, name.c_str());
    uint64_t needed = 0;
    if (__builtin_mul_overflow(static_cast<uint64_t>(element_count(*shape)), size_of(*dtype), &needed) ||
        needed != range.end - range.begin) {
      fail(ErrorCode::kCorrupt, "tensor {}: {} of shape {} do not fill {} bytes", name, *dtype_name,
           to_string(*shape), range.end - range.begin);
    }
    tensors_.push_back({name, *dtype, *shape});
    ranges_.push_back(range);
  }

  // Tensors cover the data without holes or overlaps.
  void check_cover() const {
    std::vector<size_t> order(ranges_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::pair(ranges_[a].begin, ranges_[a].end) < std::pair(ranges_[b].begin, ranges_[b].end);
    });
    uint64_t covered = 0;
    for (const size_t i : order) {
      if (ranges_[i].begin != covered) {
        fail(ErrorCode::kCorrupt, "tensor {}: starts at {}, but the tensors before it end at {}",
             tensors_[i].name, ranges_[i].begin, covered);
      }
      covered = ranges_[i].end;
    }
    if (covered != data_.size()) {
      fail(ErrorCode::kCorrupt, "the tensors end at {}, but there are {} bytes of data", covered,
           data_.size());
    }
  }

  std::unique_ptr<MappedFile> file_;
  std::span<const std::byte> data_;
  std::vector<TensorInfo> tensors_;
  std::vector<Range> ranges_;
  std::map<std::string, std::string> metadata_;
};

// The header's digests and mapped tensors are written out of order.
const std::filesystem::path& require_regular(const std::filesystem::path& path) {
  if (is_special_file(path)) {
    fail(ErrorCode::kUsage, "{}: tensors are written to a regular file, not to a device or a pipe",
         path.string());
  }
  return path;
}

}  // namespace

bool looks_like_safetensors(const MappedFile& file) {
  const auto bytes = file.bytes();
  if (bytes.size() < kLengthBytes + 2) return false;
  return header_length(bytes) <= bytes.size() - kLengthBytes && bytes[kLengthBytes] == std::byte{'{'};
}

std::unique_ptr<Checkpoint> open_safetensors(std::unique_ptr<MappedFile> file) {
  return std::make_unique<SafetensorsFile>(std::move(file));
}

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorInfo> tensors,
                                     std::map<std::string, std::string> metadata)
    : tensors_(std::move(tensors)), metadata_(std::move(metadata)), file_(require_regular(path)) {
  file_.write(header());
}

std::string SafetensorsWriter::header() const {
  json::object object;
  if (!metadata_.empty()) {
    json::object texts;
    for (const auto& [key, text] : metadata_) texts[key] = text;
    object[kMetadata] = std::move(texts);
  }
  uint64_t offset = 0;
  for (const TensorInfo& tensor : tensors_) {
    const uint64_t end = offset + byte_count(tensor);
    object[tensor.name] = json::object{{"dtype", name_of(tensor.dtype)},
                                       {"shape", json::array(tensor.shape.begin(), tensor.shape.end())},
                                       {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = json::serialize(object);
  text.resize((kLengthBytes + text.size() + 63) / 64 * 64 - kLengthBytes,
              ' ');  // the data starts 64-byte aligned
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), kLengthBytes) + text;
}

void SafetensorsWriter::write(const TensorView& tensor) {
  assert(next_ < tensors_.size() && tensor.dtype == tensors_[next_].dtype &&
         tensor.shape == tensors_[next_].shape);
  write_piece(tensor.bytes);
}

void SafetensorsWriter::write_piece(std::span<const std::byte> bytes) {
  assert(next_ < tensors_.size() && written_ + bytes.size() <= byte_count(tensors_[next_]));
  file_.write(bytes);
  written_ += bytes.size();
  if (written_ < byte_count(tensors_[next_])) return;
  ++next_;
  written_ = 0;
}

std::vector<std::span<std::byte>> SafetensorsWriter::map_tensors() {
  assert(next_ == 0);
  uint64_t total = 0;
  for (const TensorInfo& tensor : tensors_) total += byte_count(tensor);
  std::span<std::byte> rest = file_.map_more(total);
  std::vector<std::span<std::byte>> parts;
  for (const TensorInfo& tensor : tensors_) {
    parts.push_back(rest.first(byte_count(tensor)));
    rest = rest.subspan(byte_count(tensor));
  }
  next_ = tensors_.size();
  return parts;
}

void SafetensorsWriter::replace_metadata(const std::string& key, const std::string& value) {
  assert(metadata_.at(key).size() == value.size());
  metadata_[key] = value;
}

const std::filesystem::path& SafetensorsWriter::finish() {
  assert(next_ == tensors_.size());
  file_.write_at(0, header());
  finished_ = true;
  return file_.temporary();
}

void SafetensorsWriter::commit() {
  if (!finished_) finish();
  file_.commit(AtomicFile::Sync::kLater);
}

}  // namespace swinzoo
