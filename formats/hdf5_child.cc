#include "formats/hdf5_child.h"

#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <vector>

#include "formats/error.h"
#include "formats/json.h"
#include "formats/tensor.h"

namespace swinzoo {
namespace {

constexpr size_t kMostObjects = 100'000;
constexpr int kDeepest = 64;
constexpr uint64_t kMostAttributeBytes = uint64_t{16} << 20;

// ---- The driver: a file of bytes in memory, read-only ----

constexpr const char* kName = "the file";

struct MemoryFile {
  H5FD_t base;  // libhdf5's part, which must come first
  std::span<const std::byte> bytes;
  haddr_t end_of_allocation;
};

std::span<const std::byte> the_bytes;  // of the only file that this process reads

H5FD_t* open_memory(const char* name, unsigned flags, hid_t, haddr_t) {
  if (std::strcmp(name, kName) != 0 || flags != H5F_ACC_RDONLY) return nullptr;
  return &(new MemoryFile{{}, the_bytes, 0})->base;
}

herr_t close_memory(H5FD_t*) { return 0; }

MemoryFile& memory(H5FD_t* file) { return *reinterpret_cast<MemoryFile*>(file); }
const MemoryFile& memory(const H5FD_t* file) { return *reinterpret_cast<const MemoryFile*>(file); }

haddr_t end_of_allocation(const H5FD_t* file, H5FD_mem_t) { return memory(file).end_of_allocation; }

herr_t set_end_of_allocation(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  memory(file).end_of_allocation = address;
  return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t) { return memory(file).bytes.size(); }

herr_t read_memory(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, size_t size, void* buffer) {
  const std::span<const std::byte> bytes = memory(file).bytes;
  if (address > bytes.size() || size > bytes.size() - address) return -1;
  std::memcpy(buffer, bytes.data() + address, size);
  return 0;
}

herr_t write_memory(H5FD_t*, H5FD_mem_t, hid_t, haddr_t, size_t, const void*) { return -1; }

hid_t register_driver() {
  static H5FD_class_t driver = {};
  constexpr H5FD_mem_t kOneMap[] = H5FD_FLMAP_SINGLE;
  driver.name = "swinzoo_memory";
  driver.maxaddr = INT64_MAX;
  driver.fc_degree = H5F_CLOSE_WEAK;
  driver.open = &open_memory;
  driver.close = &close_memory;
  driver.get_eoa = &end_of_allocation;
  driver.set_eoa = &set_end_of_allocation;
  driver.get_eof = &end_of_file;
  driver.read = &read_memory;
  driver.write = &write_memory;
  std::ranges::copy(kOneMap, driver.fl_map);
  return H5FDregister(&driver);
}

// ---- The library ----

// What a call gave; throws kCorrupt where it failed.
template <typename T>
T checked(T result, const char* what, const std::string& where) {
  if (result < 0) fail(ErrorCode::kCorrupt, "{} of {} cannot be read", what, where);
  return result;
}

hid_t open_file(std::span<const std::byte> bytes) {
  the_bytes = bytes;
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (H5Pset_driver(access, register_driver(), nullptr) < 0) {
    fail(ErrorCode::kFailed, "libhdf5 cannot be set up");
  }
  const hid_t file = H5Fopen(kName, H5F_ACC_RDONLY, access);
  if (file < 0) fail(ErrorCode::kCorrupt, "its superblock cannot be read");
  hsize_t user_block = 0;
  checked(H5Pget_userblock(H5Fget_create_plist(file), &user_block), "the superblock", "it");
  if (user_block != 0) fail(ErrorCode::kUnsupported, "it has a user block in front");
  return file;
}

std::optional<DType> float_dtype(hid_t type) {
  size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
  if (H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) < 0)
    return std::nullopt;
  const size_t bytes = H5Tget_size(type);
  if (mantissa != 0 || exponent != mantissa_bits || sign != exponent + exponent_bits ||
      sign + 1 != 8 * bytes || H5Tget_ebias(type) != (size_t{1} << (exponent_bits - 1)) - 1 ||
      H5Tget_norm(type) != H5T_NORM_IMPLIED) {
    return std::nullopt;
  }
  if (bytes == 8 && exponent_bits == 11) return DType::kF64;
  if (bytes == 4 && exponent_bits == 8) return DType::kF32;
  if (bytes == 2 && exponent_bits == 5) return DType::kF16;
  if (bytes == 2 && exponent_bits == 8) return DType::kBF16;
  return std::nullopt;
}

std::optional<DType> integer_dtype(hid_t type) {
  const size_t bytes = H5Tget_size(type);
  if (H5Tget_precision(type) != 8 * bytes) return std::nullopt;
  if (H5Tget_sign(type) == H5T_SGN_NONE) return bytes == 1 ? std::optional(DType::kU8) : std::nullopt;
  switch (bytes) {
    case 1:
      return DType::kI8;
    case 2:
      return DType::kI16;
    case 4:
      return DType::kI32;
    case 8:
      return DType::kI64;
    default:
      return std::nullopt;
  }
}

DType dtype_of_data_set(hid_t type, const std::string& path) {
  const H5T_class_t kind = H5Tget_class(type);
  std::optional<DType> dtype;
  if (kind == H5T_FLOAT) dtype = float_dtype(type);
  if (kind == H5T_INTEGER) dtype = integer_dtype(type);
  const H5T_order_t order = dtype ? H5Tget_order(type) : H5T_ORDER_ERROR;
  if (order != H5T_ORDER_LE && order != H5T_ORDER_BE) {
    fail(ErrorCode::kUnsupported, "data set {} is of a type that is no tensor's here", path);
  }
  return *dtype;
}

// Refuses what would lead out of the file, or into code that is not libhdf5's own.
void check_storage(hid_t plan, const std::string& path) {
  if (H5Pget_layout(plan) == H5D_VIRTUAL || H5Pget_external_count(plan) > 0) {
    fail(ErrorCode::kUnsupported, "data set {} has its elements in other files", path);
  }
  const int filters = checked(H5Pget_nfilters(plan), "the filters", path);
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, config = 0;
    size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(plan, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, &config);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32) {
      fail(ErrorCode::kUnsupported, "data set {} goes through filter {}, which is not read here", path,
           static_cast<int>(filter));
    }
  }
}

json::array shape_of(hid_t space, const std::string& path) {
  if (H5Sget_simple_extent_type(space) == H5S_NULL) return {0};
  const int rank = checked(H5Sget_simple_extent_ndims(space), "the shape", path);
  std::vector<hsize_t> extents(static_cast<size_t>(rank));
  checked(H5Sget_simple_extent_dims(space, extents.data(), nullptr), "the shape", path);
  return json::array(extents.begin(), extents.end());
}

// ---- Listing ----

class Lister {
 public:
  explicit Lister(hid_t file) : file_(file) {}

  std::string list() {
    const hid_t root = checked(H5Gopen2(file_, "/", H5P_DEFAULT), "the root", "it");
    H5O_info_t info;
    checked(H5Oget_info2(root, &info, H5O_INFO_BASIC), "the root", "it");
    seen_.insert(info.addr);
    walk(root, "", 0);
    return to_json_line(json::object{{"data_sets", std::move(data_sets_)},
                                     {"attributes", std::move(attributes_)},
                                     {"not_followed", std::move(not_followed_)}});
  }

 private:
  struct Link {
    std::string name;
    bool is_hard;
    haddr_t address;
  };

  void count_object() {
    if (++objects_ > kMostObjects) fail(ErrorCode::kCorrupt, "it has more than {} objects", kMostObjects);
  }

  // `path` is that of the group, without a slash at its end.
  void walk(hid_t group, const std::string& path, int depth) {
    if (depth > kDeepest) fail(ErrorCode::kCorrupt, "its groups are over {} deep", kDeepest);
    add_attributes(group, path);
    for (const Link& link : links_of(group, path)) {
      count_object();
      const std::string below = path + "/" + link.name;
      if (!link.is_hard) {
        not_followed_.emplace_back(below);
        continue;
      }
      const hid_t object = checked(H5Oopen_by_addr(file_, link.address), "the object", below);
      const H5I_type_t kind = H5Iget_type(object);
      if (kind == H5I_DATASET) {
        add_data_set(object, below, link.address);
      } else if (kind != H5I_GROUP) {
        not_followed_.emplace_back(below);
      } else if (seen_.insert(link.address).second) {
        walk(object, below, depth + 1);
      }
      H5Oclose(object);
    }
  }

  std::vector<Link> links_of(hid_t group, const std::string& path) {
    std::vector<Link> links;
    const auto add = [](hid_t, const char* name, const H5L_info_t* info, void* to) -> herr_t {
      auto& list = *static_cast<std::vector<Link>*>(to);
      list.push_back({name, info->type == H5L_TYPE_HARD, info->u.address});
      return list.size() > kMostObjects ? 1 : 0;
    };
    checked(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, add, &links), "the links", path + "/");
    return links;
  }

  void add_data_set(hid_t set, const std::string& path, haddr_t address) {
    const hid_t type = checked(H5Dget_type(set), "the type", path);
    const hid_t plan = checked(H5Dget_create_plist(set), "the layout", path);
    check_storage(plan, path);
    const DType dtype = dtype_of_data_set(type, path);
    json::object entry = {{"path", path},
                          {"dtype", name_of(dtype)},
                          {"shape", shape_of(checked(H5Dget_space(set), "the shape", path), path)},
                          {"address", address},
                          {"stored", H5Dget_storage_size(set)}};
    const haddr_t offset = H5Dget_offset(set);
    if (H5Pget_layout(plan) == H5D_CONTIGUOUS && offset != HADDR_UNDEF &&
        H5Tget_order(type) == H5T_ORDER_LE) {
      entry["offset"] = offset;
    }
    data_sets_.push_back(std::move(entry));
  }

  void add_attributes(hid_t group, const std::string& path) {
    std::vector<std::string> names;
    const auto add = [](hid_t, const char* name, const H5A_info_t*, void* to) -> herr_t {
      static_cast<std::vector<std::string>*>(to)->emplace_back(name);
      return 0;
    };
    checked(H5Aiterate2(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, add, &names), "the attributes",
            path + "/");
    for (const std::string& name : names) {
      count_object();
      const hid_t attribute = checked(H5Aopen(group, name.c_str(), H5P_DEFAULT), "an attribute", path + "/");
      if (auto values = texts_of(attribute, path + "/@" + name)) {
        attributes_.push_back(
            json::object{{"group", path + "/"}, {"name", name}, {"values", std::move(*values)}});
      }
      H5Aclose(attribute);
    }
  }

  // The strings of an attribute; none for an empty array of whatever (Keras writes weight_names of no weights
  // as an empty array of float64). Nothing for what is no text.
  std::optional<json::array> texts_of(hid_t attribute, const std::string& where) {
    const hid_t type = checked(H5Aget_type(attribute), "the type", where);
    const auto count =
        checked(H5Sget_simple_extent_npoints(checked(H5Aget_space(attribute), "the shape", where)),
                "the shape", where);
    if (count == 0) return json::array();
    if (H5Tget_class(type) != H5T_STRING) return std::nullopt;
    const auto strings = static_cast<uint64_t>(count);
    const uint64_t size = H5Tget_size(type);
    attribute_bytes_ += size * strings;
    if (strings > kMostAttributeBytes || size > kMostAttributeBytes ||
        attribute_bytes_ > kMostAttributeBytes) {
      fail(ErrorCode::kCorrupt, "attributes have more than {} bytes", kMostAttributeBytes);
    }
    return H5Tis_variable_str(type) > 0 ? variable_texts(attribute, type, strings, where)
                                        : fixed_texts(attribute, type, strings, size, where);
  }

  static json::array variable_texts(hid_t attribute, hid_t type, uint64_t count, const std::string& where) {
    std::vector<char*> values(count);
    checked(H5Aread(attribute, type, values.data()), "the text", where);
    json::array texts;
    for (const char* value : values) texts.emplace_back(value == nullptr ? "" : value);
    return texts;
  }

  static json::array fixed_texts(hid_t attribute, hid_t type, uint64_t count, uint64_t size,
                                 const std::string& where) {
    std::string bytes(count * size, '\0');
    checked(H5Aread(attribute, type, bytes.data()), "the text", where);
    json::array texts;
    for (uint64_t i = 0; i < count; ++i) {
      std::string text = bytes.substr(i * size, size);
      text.resize(std::min(text.find('\0'), text.size()));
      if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) text.resize(text.find_last_not_of(' ') + 1);
      texts.emplace_back(text);
    }
    return texts;
  }

  hid_t file_;
  json::array data_sets_, attributes_, not_followed_;
  std::set<haddr_t> seen_;  // groups: hard links can make cycles
  size_t objects_ = 0;
  uint64_t attribute_bytes_ = 0;
};

}  // namespace

std::string list_hdf5(std::span<const std::byte> file) {
  try {
    return Lister(open_file(file)).list();
  } catch (const Error& error) {
    return to_json_line(json::object{{"error", error.what()}, {"code", static_cast<int>(error.code())}});
  }
}

void read_hdf5(std::span<const std::byte> file, uint64_t address, std::span<std::byte> elements) {
  const std::string where = "the data set";
  const hid_t set = checked(H5Oopen_by_addr(open_file(file), address), "the object", where);
  if (H5Iget_type(set) != H5I_DATASET) fail(ErrorCode::kCorrupt, "no data set at {}", address);
  check_storage(checked(H5Dget_create_plist(set), "the layout", where), where);
  const hid_t type = checked(H5Tcopy(checked(H5Dget_type(set), "the type", where)), "the type", where);
  const auto count = static_cast<uint64_t>(checked(
      H5Sget_simple_extent_npoints(checked(H5Dget_space(set), "the shape", where)), "the shape", where));
  const uint64_t size = size_of(dtype_of_data_set(type, where));
  if (count > elements.size() / size || count * size != elements.size()) {
    fail(ErrorCode::kCorrupt, "the data set has other sizes");
  }
  checked(H5Tset_order(type, H5T_ORDER_LE), "the type", where);
  checked(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, elements.data()), "elements", where);
}

}  // namespace swinzoo
