// swinzoo list: the catalog's entries, a line each.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "cmd/command.h"
#include "cmd/entry_facts.h"
#include "cmd/options.h"
#include "eval/text_table.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::string family;
  std::string collection;
  std::string task;
  std::string catalog;
  bool json = false;
};

// One filter: an entry passes if it has the wanted value, or if none is wanted.
struct Filter {
  const char* option;
  const std::string& wanted;
  const std::string& (*value_of)(const zoo::ModelSpec&);

  bool passes(const zoo::ModelSpec& spec) const { return wanted.empty() || value_of(spec) == wanted; }
};

std::array<Filter, 3> filters_of(const Options& options) {
  using zoo::ModelSpec;
  return {{{"--family", options.family,
            [](const ModelSpec& s) -> const std::string& { return s.dimensions.family; }},
           {"--collection", options.collection,
            [](const ModelSpec& s) -> const std::string& { return s.collection; }},
           {"--task", options.task, [](const ModelSpec& s) -> const std::string& { return s.task; }}}};
}

[[noreturn]] void fail_empty(const std::array<Filter, 3>& filters, const zoo::Catalog& catalog) {
  std::string message = "no entry of the catalog matches";
  for (const Filter& filter : filters) {
    if (!filter.wanted.empty()) message += fmt::format(" {} {}", filter.option, filter.wanted);
  }
  for (const Filter& filter : filters) {
    std::set<std::string> values;
    for (const zoo::ModelSpec& spec : catalog.entries()) values.insert(filter.value_of(spec));
    if (filter.wanted.empty() || values.contains(filter.wanted)) continue;
    message += fmt::format("; {} can be {}", filter.option, fmt::join(values, ", "));
  }
  throw Error(ErrorCode::kNotFound, message);
}

json::object to_result(const zoo::ModelSpec& spec) {
  const auto counts = counts_of(spec);
  const zoo::PublishedAccuracy* headline = headline_of(spec);
  json::object result = {{"id", spec.id},
                         {"family", spec.dimensions.family},
                         {"collection", spec.collection},
                         {"task", spec.task},
                         {"architecture", spec.architecture},
                         {"image_size", spec.dimensions.image_size},
                         {"frames", spec.dimensions.frames},
                         {"num_classes", spec.num_classes},
                         {"params", counts.params},
                         {"macs", counts.macs},
                         {"top1", nullptr},
                         {"top1_dataset", nullptr},
                         {"top1_by", nullptr},
                         {"fetched", is_fetched(spec)}};
  if (headline != nullptr) {
    result["top1"] = *headline->top1;
    result["top1_dataset"] = headline->dataset;
    result["top1_by"] = headline->by;
  }
  return result;
}

std::vector<std::string> to_row(const zoo::ModelSpec& spec) {
  const auto counts = counts_of(spec);
  const zoo::PublishedAccuracy* headline = headline_of(spec);
  return {spec.id,
          spec.dimensions.family,
          input_of(spec.dimensions),
          spec.num_classes > 0 ? fmt::format("{}", spec.num_classes) : "-",
          fmt::format("{:.2f} M", static_cast<double>(counts.params) / 1e6),
          fmt::format("{:.2f}", static_cast<double>(counts.macs) / 1e9),
          headline != nullptr ? fmt::format("{:.3f}", *headline->top1) : "-",
          is_fetched(spec) ? "yes" : "no",
          spec.collection};
}

int run(const Options& options, const Globals& globals) {
  const zoo::Catalog catalog = load_catalog(options.catalog);
  const auto filters = filters_of(options);
  std::vector<const zoo::ModelSpec*> chosen;
  for (const zoo::ModelSpec& spec : catalog.entries()) {
    const auto passes = [&spec](const Filter& filter) { return filter.passes(spec); };
    if (std::all_of(filters.begin(), filters.end(), passes)) chosen.push_back(&spec);
  }
  if (chosen.empty()) fail_empty(filters, catalog);
  if (globals.quiet && !options.json) {
    for (const zoo::ModelSpec* spec : chosen) fmt::print("{}\n", spec->id);
    return 0;
  }
  if (options.json) {
    json::array results;
    for (const zoo::ModelSpec* spec : chosen) results.push_back(to_result(*spec));
    print_results(std::move(results));
    return 0;
  }
  using eval::Align;
  eval::TextTable table({{"id"},
                         {"family"},
                         {"input", Align::kRight},
                         {"classes", Align::kRight},
                         {"params", Align::kRight},
                         {"GMACs", Align::kRight},
                         {"top-1", Align::kRight},
                         {"fetched"},
                         {"collection"}});
  for (const zoo::ModelSpec* spec : chosen) table.add(to_row(*spec));
  fmt::print("{}", table.text());
  return 0;
}

}  // namespace

Action setup_list(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("--family", options->family, "Only one family")
      ->type_name("swin|swinv2|swinv2_cr|video_swin");
  app.add_option("--collection", options->collection,
                 "Only one hub's collection, such as timm or sayakpaul/swin/1")
      ->type_name("COLLECTION");
  app.add_option("--task", options->task, "Only those with a head, or those without")
      ->type_name("classification|features");
  add_catalog_option(app, options->catalog);
  add_format_option(app, options->json);
  return [options](const Globals& globals) { return run(*options, globals); };
}

}  // namespace swinzoo::cmd
