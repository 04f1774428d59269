#include "formats/tensor_bundle.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "formats/crc32c.h"
#include "formats/error.h"
#include "formats/leveldb_table.h"
#include "formats/object_graph.h"
#include "tensorflow.pb.h"

namespace swinzoo {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view kIndexExtension = ".index";
constexpr std::string_view kObjectGraphKey = "_CHECKPOINTABLE_OBJECT_GRAPH";
constexpr int kNewestVersion = 1;  // kTensorBundleVersion
constexpr int kString = 7;
constexpr size_t kLargestEntry = 4096;  // real ones have about 40 bytes

struct DTypeNumber {
  int number;
  DType dtype;
};

constexpr std::array<DTypeNumber, 10> kDTypeNumbers = {{
    {1, DType::kF32},
    {2, DType::kF64},
    {3, DType::kI32},
    {4, DType::kU8},
    {5, DType::kI16},
    {6, DType::kI8},
    {9, DType::kI64},
    {10, DType::kBool},
    {14, DType::kBF16},
    {19, DType::kF16},
}};

std::optional<DType> dtype_from_number(int number) {
  for (const DTypeNumber& row : kDTypeNumbers) {
    if (row.number == number) return row.dtype;
  }
  return std::nullopt;
}

template <typename Message>
Message parse(Bytes bytes, const char* what) {
  Message message;
  if (bytes.size() > kLargestEntry) {
    fail(ErrorCode::kUnsupported, "{} has {} bytes; at most {} are read", what, bytes.size(), kLargestEntry);
  }
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail(ErrorCode::kCorrupt, "{} can't be parsed", what);
  }
  return message;
}

int read_header(Bytes value) {
  const auto header = parse<tensorflow::BundleHeaderProto>(value, "the bundle's header");
  if (header.endianness() != 0) {
    fail(ErrorCode::kUnsupported, "its tensors are big-endian; only little-endian ones are read");
  }
  if (header.version().min_consumer() > kNewestVersion) {
    fail(ErrorCode::kUnsupported, "it wants a reader of version {}; this one reads {}",
         header.version().min_consumer(), kNewestVersion);
  }
  if (header.num_shards() < 1) fail(ErrorCode::kCorrupt, "it claims {} shards", header.num_shards());
  return header.num_shards();
}

BundleEntry read_entry(const std::string& key, Bytes value, int shards) {
  const auto proto = parse<tensorflow::BundleEntryProto>(value, "an entry");
  if (proto.slices_size() > 0) {
    fail(ErrorCode::kUnsupported, "tensor {:.200} is stored in slices (a partitioned variable)", key);
  }
  if (proto.shard_id() < 0 || proto.shard_id() >= shards) {
    fail(ErrorCode::kCorrupt, "tensor {:.200} lies in shard {} of {}", key, proto.shard_id(), shards);
  }
  if (proto.offset() < 0 || proto.size() < 0) {
    fail(ErrorCode::kCorrupt, "tensor {:.200} has {} bytes at {}", key, proto.size(), proto.offset());
  }
  BundleEntry entry{key,
                    proto.dtype(),
                    {},
                    proto.shard_id(),
                    static_cast<uint64_t>(proto.offset()),
                    static_cast<uint64_t>(proto.size()),
                    proto.crc32c()};
  for (const auto& dim : proto.shape().dim()) entry.shape.push_back(dim.size());
  if (proto.shape().unknown_rank()) fail(ErrorCode::kCorrupt, "tensor {:.200} has no shape", key);
  const auto count = static_cast<uint64_t>(element_count(entry.shape));
  if (const auto dtype = dtype_from_number(entry.dtype)) {
    uint64_t needed = 0;
    if (__builtin_mul_overflow(count, size_of(*dtype), &needed) || needed != entry.size) {
      fail(ErrorCode::kCorrupt, "tensor {:.200}: {} of shape {} do not fill {} bytes", key, name_of(*dtype),
           to_string(entry.shape), entry.size);
    }
  }
  return entry;
}

// The one string of a scalar string tensor. `bytes` are the entry's.
Bytes only_string(const BundleEntry& entry, Bytes bytes) {
  uint64_t length = 0;
  size_t at = 0;
  for (unsigned shift = 0;; shift += 7, ++at) {
    if (at == bytes.size() || shift > 28) fail(ErrorCode::kCorrupt, "{} has no length", entry.key);
    const auto byte = static_cast<uint64_t>(bytes[at]);
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const size_t head = at + 1;
  const Bytes length_crc = checked_range(bytes, head, sizeof(uint32_t), entry.key.c_str());
  const Bytes text = bytes.subspan(head + sizeof(uint32_t));
  const auto length32 = static_cast<uint32_t>(length);
  const uint32_t crc = crc32c(std::as_bytes(std::span(&length32, 1)));
  const uint32_t masked = mask_crc32c(crc);
  if (length != text.size() || std::memcmp(length_crc.data(), &masked, sizeof(masked)) != 0 ||
      mask_crc32c(extend_crc32c(crc, bytes.subspan(head))) != entry.masked_crc32c) {
    fail(ErrorCode::kCorrupt, "{}: its length or its CRC32C is wrong", entry.key);
  }
  return text;
}

std::string shard_suffix(int shard, int shards) { return fmt::format(".data-{:05}-of-{:05}", shard, shards); }

class TensorBundle : public Checkpoint {
 public:
  TensorBundle(BundleSource source, const OpenShard& open_shard) : source_(std::move(source)) {
    try {
      load(open_shard);
    } catch (const Error& error) {
      fail(error.code(), "{}: TensorFlow checkpoint: {}", source_.index->path().string(), error.what());
    }
  }

  std::string_view format() const override { return source_.format; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return source_.metadata; }

  TensorView read(size_t index, Tensor& scratch) const override {
    const TensorInfo& info = tensors_[index];
    const TensorView in_place{info.dtype, info.shape, bytes_of(entries_[index])};
    const uint32_t found = mask_crc32c(crc32c(in_place.bytes));
    if (found != entries_[index].masked_crc32c) {
      fail(ErrorCode::kCorrupt, "{}: tensor {}: masked CRC32C is {:#010x}, but {:#010x} is stored",
           source_.index->path().string(), info.name, found, entries_[index].masked_crc32c);
    }
    if (reinterpret_cast<uintptr_t>(in_place.bytes.data()) % size_of(info.dtype) == 0) return in_place;
    scratch = copy_of(in_place);
    return scratch.view();
  }

  void release(size_t index) const override {
    const BundleEntry& entry = entries_[index];
    shards_.at(entry.shard)->release(bytes_of(entry));
  }

 private:
  Bytes bytes_of(const BundleEntry& entry) const {
    return checked_range(shards_.at(entry.shard)->bytes(), entry.offset, entry.size, entry.key.c_str());
  }

  void load(const OpenShard& open_shard) {
    BundleIndex index = read_bundle_index(source_.index->bytes());
    for (const BundleEntry& entry : index.entries) {
      std::unique_ptr<MappedFile>& shard = shards_[entry.shard];
      if (!shard) shard = open_shard(shard_suffix(entry.shard, index.shards));
      bytes_of(entry);
    }
    const auto graph = std::find_if(index.entries.begin(), index.entries.end(),
                                    [](const BundleEntry& entry) { return entry.key == kObjectGraphKey; });
    std::map<std::string, std::string> paths;
    if (graph != index.entries.end()) {
      if (graph->dtype != kString || !graph->shape.empty()) {
        fail(ErrorCode::kCorrupt, "{} is no scalar string", kObjectGraphKey);
      }
      paths = object_paths(only_string(*graph, bytes_of(*graph)));
      index.entries.erase(graph);
    }
    for (BundleEntry& entry : index.entries) add(std::move(entry), paths);
    check_unique();
    if (!paths.empty()) {
      fail(ErrorCode::kCorrupt, "the object graph names the key '{:.200}', which is not there",
           paths.begin()->first);
    }
  }

  // Takes the entry's path out of `paths`.
  void add(BundleEntry entry, std::map<std::string, std::string>& paths) {
    auto path = paths.extract(entry.key);
    const std::optional<DType> dtype = dtype_from_number(entry.dtype);
    if (!dtype) {
      note("keys_not_read", fmt::format("{} (dtype {})", entry.key, entry.dtype));
      return;
    }
    if (path.empty()) note("keys_without_path", entry.key);
    tensors_.push_back({path.empty() ? entry.key : std::move(path.mapped()), *dtype, entry.shape});
    entries_.push_back(std::move(entry));
  }

  void check_unique() const {
    std::vector<std::string_view> names;
    for (const TensorInfo& tensor : tensors_) names.push_back(tensor.name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) fail(ErrorCode::kCorrupt, "two tensors have the name '{:.200}'", *twice);
  }

  void note(const char* what, const std::string& line) {
    std::string& lines = source_.metadata[what];
    if (!lines.empty()) lines += '\n';
    lines += line;
  }

  BundleSource source_;
  std::map<int, std::unique_ptr<MappedFile>> shards_;
  std::vector<TensorInfo> tensors_;
  std::vector<BundleEntry> entries_;  // of tensors_
};

}  // namespace

BundleIndex read_bundle_index(Bytes table) {
  const std::vector<TableEntry> all = read_leveldb_table(table);
  if (all.empty() || !all.front().key.empty()) {
    fail(ErrorCode::kCorrupt, "the table has no bundle header (the key \"\")");
  }
  BundleIndex index;
  index.shards = read_header(all.front().value);
  for (const TableEntry& entry : std::span(all).subspan(1)) {
    index.entries.push_back(read_entry(entry.key, entry.value, index.shards));
  }
  return index;
}

std::unique_ptr<Checkpoint> open_tensor_bundle(BundleSource source, const OpenShard& open_shard) {
  return std::make_unique<TensorBundle>(std::move(source), open_shard);
}

bool looks_like_tensor_bundle(const MappedFile& file) { return looks_like_leveldb_table(file.bytes()); }

std::unique_ptr<Checkpoint> open_tensor_bundle(std::unique_ptr<MappedFile> index) {
  std::string prefix = index->path().string();
  if (!prefix.ends_with(kIndexExtension)) {
    fail(ErrorCode::kUnsupported, "{}: is a TensorFlow checkpoint's index, but its name does not end in {}",
         prefix, kIndexExtension);
  }
  prefix.resize(prefix.size() - kIndexExtension.size());
  const auto open_shard = [prefix](const std::string& suffix) {
    std::error_code ignored;
    if (!std::filesystem::exists(prefix + suffix, ignored)) {
      fail(ErrorCode::kNotFound, "its tensors are in {}{}, which is not there", prefix, suffix);
    }
    return std::make_unique<MappedFile>(prefix + suffix);
  };
  return open_tensor_bundle({"tensor_bundle", std::move(index), {}}, open_shard);
}

}  // namespace swinzoo
