#include "zoo/class_names.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "formats/error.h"
#include "formats/number.h"
#include "zoo/imagenet1k_text.h"

namespace swinzoo::zoo {
namespace {

using Names = std::vector<std::string>;

// Names are printed to terminals, and come from files that anybody made.
Names printable(Names names) {
  for (std::string& name : names) {
    std::ranges::replace_if(
        name, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  }
  return names;
}

// A list of names, or an object of names by index. Empty where some index has no name.
Names names_in(const json::value& value) {
  Names names;
  if (const json::array* list = value.if_array()) {
    for (const json::value& name : *list) {
      if (!name.is_string()) return {};
      names.push_back(as_string(name, "name"));
    }
    return names;
  }
  const json::object* object = value.if_object();
  if (object == nullptr) return {};
  std::map<size_t, std::string> by_index;
  for (const auto& member : *object) {
    const std::string_view key = member.key();
    const auto index = whole_number<size_t>(key);
    if (!index || !member.value().is_string()) return {};
    by_index[*index] = as_string(member.value(), "name");
  }
  for (auto& [index, name] : by_index) {
    if (index != names.size()) return {};
    names.push_back(std::move(name));
  }
  return names;
}

bool are_placeholders(const Names& names) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] != fmt::format("LABEL_{}", i)) return false;
  }
  return true;
}

const json::value* find_in_timm(const json::object& config, std::string_view key) {
  const json::value* found = find_member(config, key);
  const json::value* cfg = find_member(config, "pretrained_cfg");
  if (found == nullptr && cfg != nullptr && cfg->is_object()) found = find_member(cfg->get_object(), key);
  return found;
}

// timm's label names are unique words (synsets of ImageNet); their descriptions, where there are, are for
// people.
void describe(Names& names, const json::object& descriptions) {
  for (std::string& name : names) {
    const json::value* description = find_member(descriptions, name);
    if (description != nullptr && description->is_string()) name = as_string(*description, "description");
  }
}

// One of the two columns of ImageNet-1k's text: synsets, then names.
Names imagenet1k_column(bool names) {
  Names column;
  std::istringstream text(imagenet1k_text());
  for (std::string line; std::getline(text, line);) {
    const size_t tab = line.find('\t');
    if (!line.starts_with('#')) column.push_back(names ? line.substr(tab + 1) : line.substr(0, tab));
  }
  return column;
}

}  // namespace

Names class_names_from_config(const json::object& config, int64_t num_classes) {
  Names names;
  if (const json::value* labels = find_member(config, "id2label")) {
    names = names_in(*labels);
  } else {
    const json::value* words = find_in_timm(config, "label_names");
    if (words == nullptr) words = find_in_timm(config, "labels");
    if (words != nullptr) names = names_in(*words);
    const json::value* descriptions = find_in_timm(config, "label_descriptions");
    if (descriptions != nullptr && descriptions->is_object()) describe(names, descriptions->get_object());
  }
  if (static_cast<int64_t>(names.size()) != num_classes || are_placeholders(names)) return {};
  return names;
}

Names read_class_names(const std::filesystem::path& path, const ModelSpec& spec) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail_errno("cannot be read", path.string());
  Names names;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    names.push_back(std::move(line));
  }
  if (file.bad()) fail_errno("cannot be read", path.string());
  while (!names.empty() && names.back().empty()) names.pop_back();
  if (static_cast<int64_t>(names.size()) != spec.num_classes) {
    fail(ErrorCode::kUsage, "{}: {} names of classes, one a line; {} has {} classes", path.string(),
         names.size(), spec.id, spec.num_classes);
  }
  return printable(std::move(names));
}

Names class_names_of(const ModelSpec& spec) {
  if (!spec.class_names.empty()) return printable(spec.class_names);
  return has_imagenet1k_classes(spec) ? imagenet1k_column(true) : Names{};
}

bool has_imagenet1k_classes(const ModelSpec& spec) {
  const bool is_imagenet = spec.dataset.empty() || spec.dataset.ends_with("imagenet-1k");
  return spec.num_classes == 1000 && spec.dimensions.frames == 0 && is_imagenet;
}

const Names& imagenet1k_synsets() {
  static const Names synsets = imagenet1k_column(false);
  return synsets;
}

int64_t imagenet1k_class(std::string_view synset) {
  const Names& synsets = imagenet1k_synsets();
  const auto found = std::ranges::lower_bound(synsets, synset);
  return found != synsets.end() && *found == synset ? found - synsets.begin() : -1;
}

}  // namespace swinzoo::zoo
