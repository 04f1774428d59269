#include "formats/hdf5.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "formats/child_process.h"
#include "formats/error.h"
#include "formats/hdf5_child.h"
#include "formats/json.h"
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

constexpr uint64_t kAnyRatio = 64 * kMebibyte;
constexpr uint64_t kMostRatio = 100;

// Room for a chunk as stored and as inflated, twice while it grows; time at 20 MB/s.
ChildLimits read_limits(uint64_t bytes) {
  const seconds work(bytes / 20'000'000);
  return {256 * kMebibyte + 4 * bytes, seconds(10) + work, seconds(60) + 3 * work};
}

struct DataSet {
  TensorInfo info;  // named by its path from the root: "/a/b"
  uint64_t bytes;
  uint64_t address;
  std::optional<uint64_t> offset;  // of the elements, if they can be read in place
};

// What list_hdf5 tells, checked.
struct Listing {
  std::vector<DataSet> data_sets;
  std::map<std::pair<std::string, std::string>, std::vector<std::string>>
      attributes;  // by group ("/a/"), name
  std::vector<std::string> not_followed;
};

uint64_t as_size(const json::value& value, const std::string& where) {
  const int64_t number = as_int(value, where);
  if (number < 0) fail(ErrorCode::kCorrupt, "{}: {} is no size", where, number);
  return static_cast<uint64_t>(number);
}

std::vector<std::string> as_strings(const json::value& value, const std::string& where) {
  std::vector<std::string> strings;
  for (const json::value& text : as_array(value, where)) strings.push_back(as_string(text, where));
  return strings;
}

const json::value& member(const json::object& object, std::string_view key, const std::string& where) {
  const json::value* found = find_member(object, key);
  if (found == nullptr) fail(ErrorCode::kCorrupt, "{}: no {}", where, key);
  return *found;
}

DataSet parse_data_set(const json::object& entry, std::span<const std::byte> file) {
  const std::string path = as_string(member(entry, "path", "a data set"), "a data set");
  const std::string where = "data set " + path;
  const auto dtype = dtype_from_name(as_string(member(entry, "dtype", where), where));
  if (!dtype) fail(ErrorCode::kCorrupt, "{} has no dtype", where);
  Shape shape = find_ints(entry, "shape", where).value_or(Shape());
  const auto elements = static_cast<uint64_t>(element_count(shape));
  if (elements > std::numeric_limits<int64_t>::max() / size_of(*dtype)) {
    fail(ErrorCode::kCorrupt, "{} claims {} elements", where, elements);
  }
  DataSet set = {{path, *dtype, std::move(shape)}, elements * size_of(*dtype), 0, std::nullopt};
  set.address = as_size(member(entry, "address", where), where);
  if (const json::value* offset = find_member(entry, "offset")) {
    set.offset = as_size(*offset, where);
    checked_range(file, *set.offset, set.bytes, where.c_str());
    return set;
  }
  const uint64_t stored = as_size(member(entry, "stored", where), where);
  if (stored > file.size() || (set.bytes > kAnyRatio && set.bytes / kMostRatio > stored)) {
    fail(ErrorCode::kCorrupt, "{} claims {} bytes, of which {} are stored in {}", where, set.bytes, stored,
         file.size());
  }
  return set;
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

Listing list_in_child(std::span<const std::byte> file) {
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kMostListing);
  const size_t size = run_in_child(kListLimits, {buffer.get(), kMostListing}, [&](const Send& send) {
    const std::string text = list_hdf5(file);
    send(std::as_bytes(std::span(text)));
  });
  const std::string where = "what libhdf5 finds";
  const json::value parsed = parse_json({reinterpret_cast<const char*>(buffer.get()), size}, where);
  const json::object& told = as_object(parsed, where);
  if (const auto error = find_string(told, "error", where)) {
    const bool unsupported = find_int(told, "code", where) == static_cast<int>(ErrorCode::kUnsupported);
    fail(unsupported ? ErrorCode::kUnsupported : ErrorCode::kCorrupt, "{}", *error);
  }

  Listing listing;
  for (const json::value& entry : as_array(member(told, "data_sets", where), where)) {
    listing.data_sets.push_back(parse_data_set(as_object(entry, where), file));
  }
  for (const json::value& entry : as_array(member(told, "attributes", where), where)) {
    const json::object& attribute = as_object(entry, where);
    listing.attributes[{as_string(member(attribute, "group", where), where),
                        as_string(member(attribute, "name", where), where)}] =
        as_strings(member(attribute, "values", where), where);
  }
  listing.not_followed = as_strings(member(told, "not_followed", where), where);
  return listing;
}

// The list in an attribute of a group, which Keras splits into NAME0, NAME1, ... where it is too large for
// one (keras/src/saving/legacy/hdf5_format.py, load_attributes_from_hdf5_group). Nothing if there is none.
std::optional<std::vector<std::string>> find_list(const Listing& listing, const std::string& group,
                                                  const std::string& name) {
  const auto whole = listing.attributes.find({group, name});
  if (whole != listing.attributes.end()) return whole->second;
  std::optional<std::vector<std::string>> list;
  for (int part = 0;; ++part) {
    const auto found = listing.attributes.find({group, name + std::to_string(part)});
    if (found == listing.attributes.end()) return list;
    if (!list) list.emplace();
    list->insert(list->end(), found->second.begin(), found->second.end());
  }
}

// The shape of the first input layer in a model's configuration, as the metadata of a SavedModel has it;
// nothing where it says none, or not what the extents are.
std::optional<std::string> input_shape_of(const std::string& config) try {
  const std::string where = "model_config";
  const json::value parsed = parse_json(config, where);
  const json::object& model = as_object(member(as_object(parsed, where), "config", where), where);
  for (const json::value& entry : as_array(member(model, "layers", where), where)) {
    const json::object& layer = as_object(entry, where);
    if (find_string(layer, "class_name", where) != "InputLayer") continue;
    const json::object& settings = as_object(member(layer, "config", where), where);
    const json::value* shape = find_member(settings, "batch_input_shape");  // Keras 2
    if (shape == nullptr) shape = &member(settings, "batch_shape", where);  // Keras 3
    Shape extents;
    for (const json::value& extent : as_array(*shape, where)) {
      extents.push_back(extents.empty() ? -1 : as_int(extent, where));
    }
    return to_string(extents);
  }
  return std::nullopt;
} catch (const Error&) {
  return std::nullopt;
}

struct Source {
  std::unique_ptr<MappedFile> file;
  std::span<const std::byte> hdf5;  // in `file`
  std::map<std::string, std::string> metadata;
  std::vector<std::string> left_out;
};

class Hdf5File : public Checkpoint {
 public:
  Hdf5File(std::string_view format, Source source)
      : format_(format),
        file_(std::move(source.file)),
        hdf5_(source.hdf5),
        metadata_(std::move(source.metadata)) {
    check_length(hdf5_);
    const Listing listing = list_in_child(hdf5_);
    std::set<std::string> others(source.left_out.begin(), source.left_out.end());
    for (const std::string& path : listing.not_followed) others.insert(path.substr(1));
    take_tensors(listing, others);
    if (!others.empty()) metadata_["left_out"] = fmt::format("{}", fmt::join(others, ", "));
    if (const auto config = metadata_.find("model_config"); config != metadata_.end()) {
      if (const auto shape = input_shape_of(config->second)) metadata_["signature.input_shape"] = *shape;
    }
  }

  std::string_view format() const override { return format_; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }

  TensorView read(size_t index, Tensor& scratch) const override {
    const TensorInfo& info = tensors_[index];
    const DataSet& set = data_sets_[index];
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
    const DataSet& set = data_sets_[index];
    if (set.offset) file_->release(hdf5_.subspan(*set.offset, set.bytes));
  }

 private:
  // Adds what is no weight to `others`.
  void take_tensors(const Listing& listing, std::set<std::string>& others) {
    std::string root = "/";
    auto layers = find_list(listing, root, "layer_names");
    if (!layers) {
      layers = find_list(listing, "/model_weights/", "layer_names");
      if (layers) root = "/model_weights/";
    }
    take_texts(listing, "/");
    take_texts(listing, root);

    std::map<std::string_view, const DataSet*> rest;
    for (const DataSet& set : listing.data_sets) rest.emplace(set.info.name, &set);
    if (!layers) {
      for (const DataSet& set : listing.data_sets) {
        if (set.info.name.starts_with("/optimizer/")) continue;
        take(set, root);
        rest.erase(set.info.name);
      }
    } else {
      layers->push_back("top_level_model_weights");  // since Keras 2.6, and not in layer_names
      for (const std::string& layer : *layers) {
        const std::string group = root + layer + "/";
        for (const std::string& weight :
             find_list(listing, group, "weight_names").value_or(std::vector<std::string>())) {
          const auto found = rest.find(group + weight);
          if (found == rest.end()) {
            fail(ErrorCode::kCorrupt, "weight_names of {} names {}, which is not there or named twice", group,
                 weight);
          }
          take(*found->second, root);
          rest.erase(found);
        }
      }
    }
    for (const auto& [path, set] : rest) others.emplace(path.substr(1));
  }

  void take(const DataSet& set, const std::string& root) {
    tensors_.push_back({set.info.name.substr(root.size()), set.info.dtype, set.info.shape});
    data_sets_.push_back(set);
  }

  void take_texts(const Listing& listing, const std::string& group) {
    for (const auto& [key, values] : listing.attributes) {
      const bool is_list = key.second.starts_with("layer_names") || key.second.starts_with("weight_names");
      if (key.first == group && values.size() == 1 && !is_list) metadata_[key.second] = values[0];
    }
  }

  std::string_view format_;
  std::unique_ptr<MappedFile> file_;
  std::span<const std::byte> hdf5_;
  std::map<std::string, std::string> metadata_;
  std::vector<TensorInfo> tensors_;
  std::vector<DataSet> data_sets_;
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
    return std::make_unique<Hdf5File>("hdf5", Source{std::move(file), bytes, {}, {}});
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
        source.metadata["model_config"] = text_of(zip, entry);
      } else if (entry.name == "metadata.json") {
        source.metadata["metadata.json"] = text_of(zip, entry);
      } else {
        source.left_out.push_back(entry.name);
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
