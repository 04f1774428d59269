// The catalog: which models there are, as data.
//
// The built-in rows are zoo/catalog.json, embedded at build time; a user's file of the same form adds rows.
// The form is in docs/catalog.md. Reading is strict: a row with an unknown or missing key, a wrong type or
// impossible numbers, and a name that is taken, throw kCorrupt naming the row.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/json.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// Immutable, so safe to share between threads. Specs live as long as their catalog.
class Catalog {
 public:
  static const Catalog& built_in();

  // This catalog with the rows of one more document, or file. Throw kCorrupt; for the file kNotFound too.
  Catalog with(const json::value& document, const std::string& where) const;
  Catalog with_file(const std::filesystem::path& path) const;

  // In the order of the data.
  const std::vector<ModelSpec>& entries() const { return entries_; }

  // An entry by id or alias, or null.
  const ModelSpec* lookup(std::string_view name) const;
  // The same; throws kNotFound with what may have been meant.
  const ModelSpec& find(std::string_view name) const;

  // Architectures as specs without weights: id and architecture are the name, the classes and the
  // preprocessing are timm's defaults (of its default pretrained tag); there are no sources. Null where there
  // is no such architecture.
  const ModelSpec* lookup_architecture(std::string_view name) const;
  const std::vector<ModelSpec>& architectures() const { return architectures_; }

  // The architecture with exactly these dimensions, or nothing.
  std::optional<std::string> architecture_of(const Dimensions& dimensions) const;

 private:
  struct Place {
    size_t index;
    std::string where;  // for the message about a name that is taken
  };
  using Names = std::map<std::string, Place, std::less<>>;

  Catalog() = default;
  void add_architecture(const std::string& name, const json::value& row, const std::string& where);
  void add_entry(const json::value& row, const std::string& where);
  static void add_name(Names& names, const std::string& name, size_t index, const std::string& where);

  std::vector<ModelSpec> entries_;
  std::vector<ModelSpec> architectures_;
  Names entry_names_;  // ids and aliases
  Names architecture_names_;
};

}  // namespace swinzoo::zoo
