#include "cmd/entry_facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/count.h"
#include "zoo/architecture.h"
#include "zoo/model_source.h"

namespace swinzoo::cmd {

ListCounts counts_of(const zoo::ModelSpec& spec) {
  const eval::Count count = eval::count(zoo::build_plan(spec));
  return {count.params, count.macs};
}

bool is_fetched(const zoo::ModelSpec& spec) {
  return std::any_of(spec.sources.begin(), spec.sources.end(),
                     [](const std::string& source) { return zoo::is_present(zoo::parse_source(source)); });
}

const zoo::PublishedAccuracy* headline_of(const zoo::ModelSpec& spec) {
  for (const zoo::PublishedAccuracy& figure : spec.published) {
    if (figure.top1) return &figure;
  }
  return nullptr;
}

std::string input_of(const zoo::Dimensions& dimensions) {
  const std::string image = fmt::format("{}x{}", dimensions.image_size, dimensions.width());
  return dimensions.frames > 0 ? fmt::format("{}x{}", dimensions.frames, image) : image;
}

}  // namespace swinzoo::cmd
