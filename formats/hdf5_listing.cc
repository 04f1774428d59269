#include "formats/hdf5_listing.h"

#include <limits>
#include <set>
#include <utility>

#include "formats/error.h"
#include "formats/json.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

constexpr uint64_t kAnyRatio = uint64_t{64} << 20;
constexpr uint64_t kMostRatio = 100;

// What list_hdf5 tells, checked.
struct Listing {
  std::vector<Hdf5DataSet> data_sets;
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

// From the root: "/a/b". Nothing else: what stands below it is taken from it.
std::string as_path(const json::value& value, const std::string& where) {
  std::string path = as_string(value, where);
  if (path.size() < 2 || path[0] != '/') fail(ErrorCode::kCorrupt, "{}: '{}' is no path", where, path);
  return path;
}

const json::value& member(const json::object& object, std::string_view key, const std::string& where) {
  const json::value* found = find_member(object, key);
  if (found == nullptr) fail(ErrorCode::kCorrupt, "{}: no {}", where, key);
  return *found;
}

Hdf5DataSet parse_data_set(const json::object& entry, std::span<const std::byte> file) {
  const std::string path = as_path(member(entry, "path", "a data set"), "a data set");
  const std::string where = "data set " + path;
  const auto dtype = dtype_from_name(as_string(member(entry, "dtype", where), where));
  if (!dtype) fail(ErrorCode::kCorrupt, "{} has no dtype", where);
  Shape shape = find_ints(entry, "shape", where).value_or(Shape());
  const auto elements = static_cast<uint64_t>(element_count(shape));
  if (elements > std::numeric_limits<int64_t>::max() / size_of(*dtype)) {
    fail(ErrorCode::kCorrupt, "{} claims {} elements", where, elements);
  }
  Hdf5DataSet set = {{path, *dtype, std::move(shape)}, elements * size_of(*dtype), 0, std::nullopt};
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

Listing parse_listing(std::string_view text, std::span<const std::byte> file) {
  const std::string where = "what libhdf5 finds";
  const json::value parsed = parse_json(text, where);
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
  for (const json::value& path : as_array(member(told, "not_followed", where), where)) {
    listing.not_followed.push_back(as_path(path, where));
  }
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

// The texts among a group's attributes, but for the lists.
void take_texts(const Listing& listing, const std::string& group, Hdf5Contents& contents) {
  for (const auto& [key, values] : listing.attributes) {
    const bool is_list = key.second.starts_with("layer_names") || key.second.starts_with("weight_names");
    if (key.first == group && values.size() == 1 && !is_list) contents.metadata[key.second] = values[0];
  }
}

// Adds what is no weight to `others`.
void take_tensors(const Listing& listing, Hdf5Contents& contents, std::set<std::string>& others) {
  std::string root = "/";
  auto layers = find_list(listing, root, "layer_names");
  if (!layers) {
    layers = find_list(listing, "/model_weights/", "layer_names");
    if (layers) root = "/model_weights/";
  }
  take_texts(listing, "/", contents);
  take_texts(listing, root, contents);

  std::map<std::string_view, const Hdf5DataSet*> rest;
  for (const Hdf5DataSet& set : listing.data_sets) {
    if (!rest.emplace(set.info.name, &set).second) {
      fail(ErrorCode::kCorrupt, "it has the data set {} twice", set.info.name);
    }
  }
  const auto take = [&](const Hdf5DataSet& set) {
    contents.tensors.push_back({set.info.name.substr(root.size()), set.info.dtype, set.info.shape});
    contents.data_sets.push_back(set);
    rest.erase(set.info.name);
  };
  if (!layers) {
    for (const Hdf5DataSet& set : listing.data_sets) {
      if (!set.info.name.starts_with("/optimizer/")) take(set);
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
        take(*found->second);
      }
    }
  }
  for (const auto& [path, set] : rest) others.emplace(path.substr(1));
}

}  // namespace

Hdf5Contents hdf5_contents(std::string_view told, std::span<const std::byte> file, Hdf5Beside beside) {
  const Listing listing = parse_listing(told, file);
  Hdf5Contents contents = {{}, {}, std::move(beside.metadata)};
  std::set<std::string> others(beside.left_out.begin(), beside.left_out.end());
  for (const std::string& path : listing.not_followed) others.insert(path.substr(1));
  take_tensors(listing, contents, others);
  auto& metadata = contents.metadata;
  if (!others.empty()) metadata["left_out"] = fmt::format("{}", fmt::join(others, ", "));
  if (const auto config = metadata.find("model_config"); config != metadata.end()) {
    if (const auto shape = input_shape_of(config->second)) metadata["signature.input_shape"] = *shape;
  }
  return contents;
}

}  // namespace swinzoo
