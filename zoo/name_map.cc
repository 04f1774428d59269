#include "zoo/name_map.h"

#include <charconv>
#include <map>
#include <optional>

namespace swinzoo::zoo {
namespace {

using Numbers = std::map<char, int>;  // of {s} and {b}

// Matches `pattern` with the beginning of `name`, up to a dot or the end; returns what follows.
std::optional<std::string_view> match_beginning(std::string_view pattern, std::string_view name,
                                                Numbers& numbers) {
  while (!pattern.empty()) {
    if (pattern.front() != '{') {
      if (name.empty() || name.front() != pattern.front()) return std::nullopt;
      name.remove_prefix(1);
      pattern.remove_prefix(1);
      continue;
    }
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc()) return std::nullopt;
    numbers[pattern[1]] = number;
    name.remove_prefix(static_cast<size_t>(end - name.data()));
    pattern.remove_prefix(3);
  }
  if (!name.empty() && name.front() != '.') return std::nullopt;
  return name;
}

std::string fill(std::string_view pattern, const Numbers& numbers) {
  std::string text;
  while (!pattern.empty()) {
    if (pattern.front() != '{') {
      text += pattern.front();
      pattern.remove_prefix(1);
      continue;
    }
    text += std::to_string(pattern[1] == 'p' ? numbers.at('s') - 1 : numbers.at(pattern[1]));
    pattern.remove_prefix(3);
  }
  return text;
}

const std::vector<Layout>& swin_layouts() {
  static const std::vector<Layout> kLayouts = {
      {"timm", {}},
      // The authors' .pth files, and timm's own before 0.9: a stage's merging at its end, the classifier
      // without .fc.
      {"authors", {{"layers.{s}.downsample", {"layers.{p}.downsample"}}, {"head.fc", {"head"}}}},
      {"transformers",
       {
           {"patch_embed.proj", {"swin.embeddings.patch_embeddings.projection"}},
           {"patch_embed.norm", {"swin.embeddings.norm"}},
           {"layers.{s}.downsample", {"swin.encoder.layers.{p}.downsample"}},
           {"layers.{s}.blocks.{b}.norm1", {"swin.encoder.layers.{s}.blocks.{b}.layernorm_before"}},
           {"layers.{s}.blocks.{b}.attn.qkv",
            {"swin.encoder.layers.{s}.blocks.{b}.attention.self.query",
             "swin.encoder.layers.{s}.blocks.{b}.attention.self.key",
             "swin.encoder.layers.{s}.blocks.{b}.attention.self.value"}},
           {"layers.{s}.blocks.{b}.attn.relative_position_bias_table",
            {"swin.encoder.layers.{s}.blocks.{b}.attention.self.relative_position_bias_table"}},
           {"layers.{s}.blocks.{b}.attn.proj", {"swin.encoder.layers.{s}.blocks.{b}.attention.output.dense"}},
           {"layers.{s}.blocks.{b}.norm2", {"swin.encoder.layers.{s}.blocks.{b}.layernorm_after"}},
           {"layers.{s}.blocks.{b}.mlp.fc1", {"swin.encoder.layers.{s}.blocks.{b}.intermediate.dense"}},
           {"layers.{s}.blocks.{b}.mlp.fc2", {"swin.encoder.layers.{s}.blocks.{b}.output.dense"}},
           {"norm", {"swin.layernorm"}},
           {"head.fc", {"classifier"}},
       }},
  };
  return kLayouts;
}

}  // namespace

std::span<const Layout> layouts_of(std::string_view family) {
  if (family == "swin") return swin_layouts();
  return {};
}

std::vector<std::string> names_in(const Layout& layout, const std::string& canonical) {
  for (const NameRow& row : layout.rows) {
    Numbers numbers;
    const auto rest = match_beginning(row.canonical, canonical, numbers);
    if (!rest) continue;
    std::vector<std::string> names;
    for (const std::string_view pattern : row.in_the_file)
      names.push_back(fill(pattern, numbers) + std::string(*rest));
    return names;
  }
  return {canonical};
}

}  // namespace swinzoo::zoo
