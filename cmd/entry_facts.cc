#include "cmd/entry_facts.h"

#include <fmt/format.h>

namespace swinzoo::cmd {

std::optional<ListCounts> counts_of(const zoo::ModelSpec&) { return std::nullopt; }

bool is_fetched(const zoo::ModelSpec&) { return false; }

const zoo::PublishedAccuracy* headline_of(const zoo::ModelSpec& spec) {
  for (const zoo::PublishedAccuracy& figure : spec.published) {
    if (figure.top1) return &figure;
  }
  return nullptr;
}

std::string input_of(const zoo::Dimensions& dimensions) {
  const std::string image = fmt::format("{0}x{0}", dimensions.image_size);
  return dimensions.frames > 0 ? fmt::format("{}x{}", dimensions.frames, image) : image;
}

}  // namespace swinzoo::cmd
