#include "zoo/catalog.h"

#include <algorithm>

#include "formats/error.h"
#include "zoo/catalog_text.h"
#include "zoo/source.h"
#include "zoo/spec_json.h"
#include "zoo/strict_object.h"
#include "zoo/suggest.h"

namespace swinzoo::zoo {
namespace {

constexpr int64_t kSchema = 1;

template <typename Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const auto near = nearest(name, candidates);
  return near ? fmt::format("; did you mean '{}'?", *near) : "";
}

// How an entry's row is called in messages: by its id if it has one, else by its number.
std::string where_of_entry(const json::value& row, size_t index, const std::string& where) {
  const json::object* object = row.if_object();
  const json::value* id = object == nullptr ? nullptr : find_member(*object, "id");
  if (id != nullptr && id->is_string()) return fmt::format("{}: entry \"{}\"", where, as_string(*id, where));
  return fmt::format("{}: entry number {}", where, index + 1);
}

void check_source(const std::string& source, const std::string& where) {
  try {
    parse_source(source);
  } catch (const Error& error) {
    fail(ErrorCode::kCorrupt, "{}: \"sources\": {}", where, error.what());
  }
}

}  // namespace

const Catalog& Catalog::built_in() {
  static const Catalog catalog =
      Catalog().with(parse_json(catalog_text(), "built-in catalog"), "built-in catalog");
  return catalog;
}

Catalog Catalog::with(const json::value& document, const std::string& where) const {
  Catalog catalog = *this;
  StrictObject top(document, where);
  if (const int64_t schema = top.need_int("schema"); schema != kSchema) {
    fail(ErrorCode::kUnsupported, "{}: catalog schema {}; this build reads {}", where, schema, kSchema);
  }
  if (const json::value* architectures = top.find("architectures")) {
    for (const auto& row : as_object(*architectures, top.where_of("architectures"))) {
      const std::string name(row.key());
      catalog.add_architecture(name, row.value(), fmt::format("{}: architecture \"{}\"", where, name));
    }
  }
  if (const json::value* entries = top.find("entries")) {
    const json::array& rows = as_array(*entries, top.where_of("entries"));
    for (size_t i = 0; i < rows.size(); ++i) catalog.add_entry(rows[i], where_of_entry(rows[i], i, where));
  }
  top.finish();
  return catalog;
}

Catalog Catalog::with_file(const std::filesystem::path& path) const {
  return with(read_json(path), path.string());
}

void Catalog::add_architecture(const std::string& name, const json::value& value, const std::string& where) {
  StrictObject row(value, where);
  ModelSpec spec;
  spec.id = spec.architecture = name;
  spec.dimensions = read_dimensions(row);
  spec.num_classes = row.need_int("num_classes");
  if (spec.num_classes < 0) fail(ErrorCode::kCorrupt, "{}: num_classes is {}", where, spec.num_classes);
  spec.task = spec.num_classes > 0 ? "classification" : "features";
  spec.preprocessing = preprocessing_from_json(row.need("preprocessing"), row.where_of("preprocessing"));
  row.finish();
  add_name(architecture_names_, name, architectures_.size(), where);
  architectures_.push_back(std::move(spec));
}

void Catalog::add_entry(const json::value& value, const std::string& where) {
  StrictObject row(value, where);
  ModelSpec spec = read_row(row);
  row.finish();
  if (spec.sources.empty()) fail(ErrorCode::kCorrupt, "{}: \"sources\" is empty", where);
  for (const std::string& source : spec.sources) check_source(source, where);
  const ModelSpec* architecture = lookup_architecture(spec.architecture);
  if (architecture == nullptr) {
    fail(ErrorCode::kCorrupt, "{}: no architecture '{}' in the catalog{}", where, spec.architecture,
         did_you_mean(spec.architecture, keys_of(architecture_names_)));
  }
  spec.dimensions = architecture->dimensions;
  add_name(entry_names_, spec.id, entries_.size(), where);
  for (const std::string& alias : spec.aliases) add_name(entry_names_, alias, entries_.size(), where);
  entries_.push_back(std::move(spec));
}

void Catalog::add_name(Names& names, const std::string& name, size_t index, const std::string& where) {
  if (name.empty()) fail(ErrorCode::kCorrupt, "{}: a name is empty", where);
  const auto [place, added] = names.try_emplace(name, Place{index, where});
  if (!added) fail(ErrorCode::kCorrupt, "{}: the name '{}' is taken by {}", where, name, place->second.where);
}

const ModelSpec* Catalog::lookup(std::string_view name) const {
  const auto found = entry_names_.find(name);
  return found == entry_names_.end() ? nullptr : &entries_[found->second.index];
}

const ModelSpec& Catalog::find(std::string_view name) const {
  if (const ModelSpec* entry = lookup(name)) return *entry;
  if (lookup_architecture(name) != nullptr) {
    std::vector<std::string> ids;
    for (const ModelSpec& entry : entries_) {
      if (entry.architecture == name) ids.push_back(entry.id);
    }
    fail(ErrorCode::kNotFound, "'{}' is an architecture; its entries are: {}", name,
         ids.empty() ? "none" : fmt::format("{}", fmt::join(ids, ", ")));
  }
  const std::string near = did_you_mean(name, keys_of(entry_names_));
  fail(ErrorCode::kNotFound, "no entry '{}' in the catalog{}", name,
       near.empty() ? "; 'swinzoo list' shows all" : near);
}

const ModelSpec* Catalog::lookup_architecture(std::string_view name) const {
  const auto found = architecture_names_.find(name);
  return found == architecture_names_.end() ? nullptr : &architectures_[found->second.index];
}

std::optional<std::string> Catalog::architecture_of(const Dimensions& dimensions) const {
  for (const ModelSpec& architecture : architectures_) {
    if (architecture.dimensions == dimensions) return architecture.architecture;
  }
  return std::nullopt;
}

}  // namespace swinzoo::zoo
