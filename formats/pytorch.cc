#include "formats/pytorch.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <vector>

#include "formats/error.h"
#include "formats/mapped_file.h"
#include "formats/pickle.h"
#include "formats/zip.h"

namespace swinzoo {
namespace {

using Kind = PickleValue::Kind;

constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kParameter = "torch._utils._rebuild_parameter";

struct StorageRow {
  std::string_view global;
  DType dtype;
};

constexpr std::array<StorageRow, 12> kStorages = {{
    {"torch.DoubleStorage", DType::kF64},
    {"torch.FloatStorage", DType::kF32},
    {"torch.HalfStorage", DType::kF16},
    {"torch.BFloat16Storage", DType::kBF16},
    {"torch.LongStorage", DType::kI64},
    {"torch.IntStorage", DType::kI32},
    {"torch.ShortStorage", DType::kI16},
    {"torch.CharStorage", DType::kI8},
    {"torch.ByteStorage", DType::kU8},
    {"torch.BoolStorage", DType::kBool},
    {"torch.UntypedStorage", DType::kU8},
    {"torch.storage.UntypedStorage", DType::kU8},
}};

// What checkpoints of training hold beside the weights. None of it is opened.
constexpr std::array<std::string_view, 28> kClosed = {
    "argparse.Namespace",
    "yacs.config.CfgNode",
    "mmengine.logging.history_buffer.HistoryBuffer",
    "collections.defaultdict",
    "collections.Counter",  // a learning rate schedule's milestones
    "builtins.dict",
    "builtins.list",
    "builtins.set",
    "__builtin__.dict",
    "__builtin__.list",
    "__builtin__.set",
    "_codecs.encode",  // bytes, up to pickle protocol 2
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "torch.Size",
    "torch.device",
    "torch.float64",
    "torch.float32",
    "torch.float16",
    "torch.bfloat16",
    "torch.int64",
    "torch.int32",
    "torch.uint8",
    "torch.bool",
};

constexpr std::array<std::string_view, 4> kWrappers = {"state_dict_ema", "model_ema", "state_dict", "model"};
constexpr int kDeepestWrapper = 4;
constexpr std::array<std::string_view, 2> kPrefixes = {"module.", "backbone."};

constexpr std::string_view kPickleName = "/data.pkl";
constexpr uint64_t kLargestPickle = 64 << 20;
constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);  // of the legacy layout
constexpr int64_t kLegacyVersion = 1001;
constexpr size_t kHighestRank = 16, kLongestName = 1024;
// Of all tensors together, since a few bytes of the pickle make one more: elements of those that repeat
// elements of their storage, and bytes of deflated storages, which are inflated for each tensor that is a
// part of one.
constexpr int64_t kMostRepeated = 1 << 24;
constexpr uint64_t kMostInflated = uint64_t{1} << 30;

const StorageRow* find_storage(std::string_view global) {
  const auto found = std::find_if(kStorages.begin(), kStorages.end(),
                                  [&](const StorageRow& row) { return row.global == global; });
  return found == kStorages.end() ? nullptr : &*found;
}

bool is_closed(std::string_view global) {
  return std::find(kClosed.begin(), kClosed.end(), global) != kClosed.end();
}

bool is_known(std::string_view global) {
  return global == kOrderedDict || global == kTensor || global == kParameter ||
         find_storage(global) != nullptr || is_closed(global);
}

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
  return fmt::format("{}", fmt::join(texts, between));
}

// A storage as a tensor names it: ("storage", torch.FloatStorage, key, device, elements[, view]).
struct StorageId {
  std::string_view key;
  DType dtype;
  uint64_t elements;
  uint64_t first = 0;  // of a view, an old way to share a storage: its first element
};

// A storage's bytes: in the map, or deflated in the archive.
struct Storage {
  DType dtype;
  uint64_t elements;                      // as the pickle says
  uint64_t size = 0;                      // bytes, as the file says
  const ZipEntry* entry = nullptr;        // null in the legacy layout, which has them here:
  std::span<const std::byte> bytes = {};  //
};

// Where a tensor's elements are.
struct Slot {
  const Storage* storage;
  uint64_t offset;  // of the first, in bytes
  uint64_t size;    // bytes, from the first to the end of the last
  std::vector<int64_t> strides;
  bool dense;
};

// What pickled values mean to torch.
class Reader {
 public:
  explicit Reader(const Pickle& pickle) : pickle_(pickle) {}

  const PickleValue& operator[](PickleRef value) const { return pickle_[value]; }

  const PickleValue* callable(const PickleValue& value) const {
    return value.kind == Kind::kCall ? &pickle_[value.callable] : nullptr;
  }

  bool calls(const PickleValue& value, std::string_view global) const {
    const PickleValue* called = callable(value);
    return called != nullptr && called->text == global;
  }

  // A dict, or an OrderedDict that was made empty and then filled.
  bool is_dict(const PickleValue& value) const {
    return value.kind == Kind::kDict ||
           (calls(value, kOrderedDict) && pickle_[value.arguments].items.empty() &&
            value.items.size() % 2 == 0);
  }

  // _rebuild_tensor_v2's arguments if the value is a tensor, or null. A parameter is its tensor.
  const PickleValue* find_tensor(const PickleValue& value) const {
    const PickleValue* tensor = &value;
    if (calls(value, kParameter)) {
      const auto& arguments = pickle_[value.arguments].items;
      if (arguments.empty()) fail(ErrorCode::kCorrupt, "a parameter without a tensor");
      tensor = &pickle_[arguments[0]];
    }
    return calls(*tensor, kTensor) ? &pickle_[tensor->arguments] : nullptr;
  }

  uint64_t count(PickleRef ref, std::string_view what) const {
    const PickleValue& value = pickle_[ref];
    if (value.kind != Kind::kInt || value.integer < 0) fail(ErrorCode::kCorrupt, "{} is no count", what);
    return static_cast<uint64_t>(value.integer);
  }

  std::vector<int64_t> counts(PickleRef ref, std::string_view what) const {
    const PickleValue& value = pickle_[ref];
    if (value.kind != Kind::kTuple || value.items.size() > kHighestRank) {
      fail(ErrorCode::kCorrupt, "{} is no tuple of counts", what);
    }
    std::vector<int64_t> result;
    for (const PickleRef item : value.items) result.push_back(static_cast<int64_t>(count(item, what)));
    return result;
  }

  StorageId storage_id(const PickleValue& value) const {
    const auto& items = pickle_[value.arguments].items;
    if (value.kind != Kind::kPersistent || items.size() < 5 || pickle_[items[0]].text != "storage") {
      fail(ErrorCode::kCorrupt, "a tensor without a storage");
    }
    const StorageRow* row = find_storage(pickle_[items[1]].text);
    const PickleValue& key = pickle_[items[2]];
    if (row == nullptr || key.kind != Kind::kText || key.text.size() > kLongestName) {
      fail(ErrorCode::kCorrupt, "a storage without a type or a key");
    }
    StorageId id{key.text, row->dtype, count(items[4], "a storage's size")};
    if (items.size() > 5 && pickle_[items[5]].kind != Kind::kNone) {
      const auto& view = pickle_[items[5]].items;  // key, first element, elements
      if (view.size() != 3) fail(ErrorCode::kCorrupt, "a damaged view of a storage");
      id.first = count(view[1], "a storage view's start");
    }
    return id;
  }

 private:
  const Pickle& pickle_;
};

// What a value is, for messages: "an int", "a yacs.config.CfgNode".
std::string describe(const Reader& reader, const PickleValue& value) {
  switch (value.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kLong:
    case Kind::kFloat:
      return "a number";
    case Kind::kText:
    case Kind::kBytes:
      return "a text";
    case Kind::kTuple:
    case Kind::kList:
    case Kind::kSet:
      return "a list";
    case Kind::kDict:
      return "a dictionary";
    case Kind::kGlobal:
      return fmt::format("the global {}", value.text);
    case Kind::kCall:
      return fmt::format("a {}", reader.callable(value)->text);
    case Kind::kPersistent:
      return "a bare storage";
  }
  return "unknown";
}

bool is_legacy(std::span<const std::byte> bytes) {
  constexpr size_t kPreamble = 32;  // protocol, from protocol 4 on a frame, LONG1 and its length; the number
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()),
                               std::min(bytes.size(), kPreamble));
  return start.starts_with('\x80') && start.find(kMagic) != std::string_view::npos;
}

class PytorchFile : public Checkpoint {
 public:
  explicit PytorchFile(std::unique_ptr<MappedFile> file) : file_(std::move(file)) {
    with_path([&] {
      if (is_legacy(file_->bytes())) {
        parse_legacy();
      } else {
        parse_zip();
      }
    });
  }

  std::string_view format() const override { return "pytorch"; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }

  TensorView read(size_t index, Tensor& scratch) const override {
    TensorView view;
    with_path([&] { view = read_slot(tensors_[index], slots_[index], scratch); });
    return view;
  }

  void release(size_t index) const override {
    const Slot& slot = slots_[index];
    const Storage& storage = *slot.storage;
    if (storage.entry == nullptr) {
      file_->release(storage.bytes.subspan(slot.offset, slot.size));
    } else if (storage.entry->deflated) {
      file_->release(file_->bytes().subspan(storage.entry->offset, storage.entry->stored_size));
    } else {
      file_->release(file_->bytes().subspan(storage.entry->offset + slot.offset, slot.size));
    }
  }

 private:
  template <typename Run>
  void with_path(Run run) const {
    try {
      run();
    } catch (const Error& error) {
      fail(error.code(), "{}: PyTorch file: {}", file_->path().string(), error.what());
    }
  }

  void parse_zip() {
    zip_.emplace(file_->bytes());
    std::string folder;
    for (const ZipEntry& entry : zip_->entries()) {
      if (!entry.name.ends_with(kPickleName)) continue;
      if (!folder.empty()) fail(ErrorCode::kCorrupt, "holds {}{} and {}", folder, kPickleName, entry.name);
      folder = entry.name.substr(0, entry.name.size() - kPickleName.size());
    }
    if (folder.empty()) fail(ErrorCode::kCorrupt, "holds no data.pkl in a folder");
    if (const ZipEntry* order = zip_->find(folder + "/byteorder")) {
      const auto text = zip_->read(*order, 16);
      if (std::string_view(reinterpret_cast<const char*>(text.data()), text.size()) != "little") {
        fail(ErrorCode::kUnsupported, "is not little-endian");
      }
    }
    const auto bytes = zip_->read(*zip_->find(folder + std::string(kPickleName)), kLargestPickle);
    const Pickle pickle(bytes, &is_known);
    const Reader reader(pickle);
    for (const PickleValue& value : pickle.values()) {
      if (value.kind != Kind::kPersistent) continue;
      const StorageId id = reader.storage_id(value);
      Storage& storage = add_storage(id);
      storage.entry = zip_->find(fmt::format("{}/data/{}", folder, id.key));
      if (storage.entry == nullptr) fail(ErrorCode::kCorrupt, "storage {}: is missing", id.key);
      storage.size = storage.entry->size;
      if (storage.size % size_of(id.dtype) != 0 || storage.size / size_of(id.dtype) != id.elements) {
        fail(ErrorCode::kCorrupt, "storage {}: {} bytes are not {} of {}", id.key, storage.size, id.elements,
             name_of(id.dtype));
      }
    }
    metadata_["layout"] = "zip";
    parse_object(pickle);
  }

  void parse_legacy() {
    std::span<const std::byte> rest = file_->bytes();
    const auto next_pickle = [&] {
      Pickle pickle(rest.first(std::min<uint64_t>(rest.size(), kLargestPickle)), &is_known);
      rest = rest.subspan(pickle.size());
      return pickle;
    };
    const Pickle magic = next_pickle(), version = next_pickle(), system = next_pickle();
    if (magic[magic.top()].text != kMagic || version[version.top()].integer != kLegacyVersion) {
      fail(ErrorCode::kUnsupported, "is no legacy file of version {}", kLegacyVersion);
    }
    const auto& facts = system[system.top()].items;
    for (size_t i = 0; i + 1 < facts.size(); i += 2) {
      if (system[facts[i]].text == "little_endian" && system[facts[i + 1]].integer == 0) {
        fail(ErrorCode::kUnsupported, "is not little-endian");
      }
    }
    const Pickle object = next_pickle(), keys = next_pickle();
    const Reader reader(object);
    for (const PickleValue& value : object.values()) {
      if (value.kind == Kind::kPersistent) add_storage(reader.storage_id(value));
    }
    std::set<std::string, std::less<>> seen;
    for (const PickleRef ref : keys[keys.top()].items) {
      const auto found = storages_.find(keys[ref].text);
      if (found == storages_.end() || !seen.emplace(keys[ref].text).second) {
        fail(ErrorCode::kCorrupt, "storage {}: no tensor names it, or it stands twice", keys[ref].text);
      }
      Storage& storage = found->second;
      uint64_t elements = 0;
      std::memcpy(&elements, checked_range(rest, 0, sizeof elements, "a storage's size").data(),
                  sizeof elements);
      if (elements != storage.elements ||
          __builtin_mul_overflow(elements, size_of(storage.dtype), &storage.size)) {
        fail(ErrorCode::kCorrupt, "storage {}: {} elements, but its tensors say {}", found->first, elements,
             storage.elements);
      }
      storage.bytes = checked_range(rest, sizeof elements, storage.size, "a storage");
      rest = rest.subspan(sizeof elements + storage.size);
    }
    if (seen.size() != storages_.size()) fail(ErrorCode::kCorrupt, "not every storage is there");
    if (!rest.empty()) fail(ErrorCode::kCorrupt, "{} bytes follow the last storage", rest.size());
    metadata_["layout"] = "legacy";
    parse_object(object);
  }

  Storage& add_storage(const StorageId& id) {
    Storage& storage =
        storages_.try_emplace(std::string(id.key), Storage{id.dtype, id.elements}).first->second;
    if (storage.dtype != id.dtype || storage.elements != id.elements) {
      fail(ErrorCode::kCorrupt, "storage {}: {} elements of {}, and elsewhere {} of {}", id.key,
           storage.elements, name_of(storage.dtype), id.elements, name_of(id.dtype));
    }
    return storage;
  }

  // The state dict's tensors.
  void parse_object(const Pickle& pickle) {
    const Reader reader(pickle);
    std::vector<std::string> unwrapped, left_out;
    const PickleValue* dict = &reader[pickle.top()];
    for (int depth = 0; depth < kDeepestWrapper; ++depth) {
      check_keys(reader, *dict);
      const auto [key, inner] = find_wrapped(reader, *dict);
      if (inner == nullptr) break;
      for (size_t i = 0; i < dict->items.size(); i += 2) {
        if (&reader[dict->items[i + 1]] != inner) left_out.emplace_back(reader[dict->items[i]].text);
      }
      unwrapped.emplace_back(key);
      dict = inner;
    }
    check_keys(reader, *dict);
    for (size_t i = 0; i < dict->items.size(); i += 2) {
      const std::string name(reader[dict->items[i]].text);
      const PickleValue& value = reader[dict->items[i + 1]];
      if (const PickleValue* tensor = reader.find_tensor(value)) {
        add_tensor(reader, name, *tensor);
      } else if (value.kind == Kind::kCall && !reader.is_dict(value)) {
        fail(ErrorCode::kUnsupported, "entry {} of the state dict is {}, which is not known as a tensor",
             name, describe(reader, value));
      } else {
        left_out.push_back(name);
      }
    }
    if (tensors_.empty()) fail(ErrorCode::kUnsupported, "holds no tensors where a state dict is expected");
    strip_prefixes();
    check_names();
    if (!unwrapped.empty()) metadata_["unwrapped"] = joined(unwrapped, ".");
    if (!left_out.empty()) metadata_["left_out"] = joined(left_out, ", ");
    std::set<std::string> closed;
    for (const PickleValue& value : pickle.values()) {
      if (value.kind == Kind::kGlobal && is_closed(value.text)) closed.emplace(value.text);
    }
    if (!closed.empty()) metadata_["closed_globals"] = fmt::format("{}", fmt::join(closed, ", "));
  }

  // Checked first: a text of the pickle may be a key any number of times.
  static void check_keys(const Reader& reader, const PickleValue& dict) {
    if (!reader.is_dict(dict)) {
      fail(ErrorCode::kUnsupported, "holds no state dict but {}", describe(reader, dict));
    }
    std::set<std::string_view> keys;
    for (size_t i = 0; i < dict.items.size(); i += 2) {
      const PickleValue& key = reader[dict.items[i]];
      if (key.kind != Kind::kText || key.text.size() > kLongestName) {
        fail(ErrorCode::kUnsupported, "holds no state dict: a key is {}", describe(reader, key));
      }
      if (!keys.insert(key.text).second) fail(ErrorCode::kCorrupt, "key {}: stands twice", key.text);
    }
  }

  // What a dictionary without tensors of its own wraps, and under which key; or null.
  static std::pair<std::string_view, const PickleValue*> find_wrapped(const Reader& reader,
                                                                      const PickleValue& dict) {
    for (size_t i = 1; i < dict.items.size(); i += 2) {
      if (reader.find_tensor(reader[dict.items[i]]) != nullptr) return {};
    }
    for (const std::string_view wrapper : kWrappers) {
      for (size_t i = 0; i < dict.items.size(); i += 2) {
        const PickleValue& value = reader[dict.items[i + 1]];
        if (reader[dict.items[i]].text == wrapper && reader.is_dict(value)) return {wrapper, &value};
      }
    }
    return {};
  }

  void add_tensor(const Reader& reader, const std::string& name, const PickleValue& arguments) {
    // storage, first element, shape, strides, requires_grad, hooks
    if (arguments.items.size() < 4) fail(ErrorCode::kCorrupt, "tensor {}: has too few arguments", name);
    const StorageId id = reader.storage_id(reader[arguments.items[0]]);
    const Storage& storage = storages_.at(std::string(id.key));
    const uint64_t offset = reader.count(arguments.items[1], "a tensor's offset");
    Shape shape = reader.counts(arguments.items[2], "a tensor's shape");
    std::vector<int64_t> strides = reader.counts(arguments.items[3], "a tensor's strides");
    if (shape.size() != strides.size()) {
      fail(ErrorCode::kCorrupt, "tensor {}: shape {} and strides {}", name, to_string(shape),
           to_string(strides));
    }
    const int64_t count = element_count(shape);
    uint64_t first = 0, end = 0;  // elements
    if (count > 0) {
      uint64_t last = 0;
      bool overflow = __builtin_add_overflow(id.first, offset, &first);
      for (size_t axis = 0; axis < shape.size(); ++axis) {
        uint64_t reach = 0;
        overflow |= __builtin_mul_overflow(shape[axis] - 1, strides[axis], &reach);
        overflow |= __builtin_add_overflow(last, reach, &last);
      }
      overflow |= __builtin_add_overflow(first, last, &end);
      if (overflow || end >= storage.size / size_of(id.dtype)) {
        fail(ErrorCode::kCorrupt,
             "tensor {}: shape {}, strides {} and offset {} leave its storage of {} bytes", name,
             to_string(shape), to_string(strides), first, storage.size);
      }
      ++end;
    }
    if (static_cast<uint64_t>(count) > end - first &&
        (count > kMostRepeated || (repeated_ += count) > kMostRepeated)) {
      fail(ErrorCode::kUnsupported, "tensor {}: repeats {} elements to {}: too many, with those before it",
           name, end - first, to_string(shape));
    }
    const bool dense = is_dense(shape, strides);
    const bool whole = dense && (end - first) * size_of(id.dtype) == storage.size;
    if (storage.entry != nullptr && storage.entry->deflated && !whole &&
        (inflated_ += storage.size) > kMostInflated) {
      fail(ErrorCode::kUnsupported,
           "tensor {}: is a part of compressed storage {}; with those before it, more than {} bytes would "
           "have to "
           "be inflated for parts: save the file without compression",
           name, id.key, kMostInflated);
    }
    tensors_.push_back({name, id.dtype, std::move(shape)});
    slots_.push_back(
        {&storage, first * size_of(id.dtype), (end - first) * size_of(id.dtype), std::move(strides), dense});
  }

  // Strides of axes of one element do not matter.
  static bool is_dense(const Shape& shape, const std::vector<int64_t>& strides) {
    if (element_count(shape) == 0) return true;
    const std::vector<int64_t> dense = row_major_strides(shape);
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis] != 1 && strides[axis] != dense[axis]) return false;
    }
    return true;
  }

  void strip_prefixes() {
    std::vector<std::string> stripped;
    for (const std::string_view prefix : kPrefixes) {
      const auto carries = [&](const TensorInfo& tensor) { return tensor.name.starts_with(prefix); };
      const auto carriers = std::count_if(tensors_.begin(), tensors_.end(), carries);
      if (2 * static_cast<size_t>(carriers) < tensors_.size()) continue;
      for (TensorInfo& tensor : tensors_) {
        if (carries(tensor)) tensor.name.erase(0, prefix.size());
      }
      stripped.emplace_back(prefix);
    }
    if (!stripped.empty()) metadata_["stripped_prefixes"] = joined(stripped, " ");
  }

  void check_names() const {
    std::set<std::string_view> names;
    for (const TensorInfo& tensor : tensors_) {
      if (!names.insert(tensor.name).second)
        fail(ErrorCode::kCorrupt, "tensor {}: stands twice", tensor.name);
    }
  }

  TensorView read_slot(const TensorInfo& info, const Slot& slot, Tensor& scratch) const {
    const Storage& storage = *slot.storage;
    std::vector<std::byte> inflated;
    std::span<const std::byte> bytes = storage.bytes;
    if (storage.entry != nullptr && storage.entry->deflated) {
      if (slot.dense && slot.size == storage.size) {
        scratch = Tensor(info.dtype, info.shape);
        zip_->read(*storage.entry, {scratch.bytes()});
        return scratch.view();
      }
      inflated = zip_->read(*storage.entry, storage.size);
      bytes = inflated;
    } else if (storage.entry != nullptr) {
      bytes = zip_->view(*storage.entry);
    }
    bytes = bytes.subspan(slot.offset, slot.size);
    if (!slot.dense) {
      scratch = gathered(info.dtype, info.shape, slot.strides, bytes);
    } else if (inflated.empty()) {
      return aligned({info.dtype, info.shape, bytes}, scratch);
    } else {
      scratch = copy_of({info.dtype, info.shape, bytes});
    }
    return scratch.view();
  }

  std::unique_ptr<MappedFile> file_;
  std::optional<ZipArchive> zip_;
  std::map<std::string, Storage, std::less<>> storages_;  // by key; slots point into it
  std::vector<TensorInfo> tensors_;
  std::vector<Slot> slots_;
  int64_t repeated_ = 0;   // see kMostRepeated
  uint64_t inflated_ = 0;  // see kMostInflated
  std::map<std::string, std::string> metadata_;
};

}  // namespace

bool looks_like_pytorch(const MappedFile& file) {
  return is_legacy(file.bytes()) ||
         zip_holds(file, [](std::string_view name) { return name.ends_with(kPickleName); });
}

std::unique_ptr<Checkpoint> open_pytorch(std::unique_ptr<MappedFile> file) {
  return std::make_unique<PytorchFile>(std::move(file));
}

}  // namespace swinzoo
