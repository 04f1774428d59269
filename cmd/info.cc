// swinzoo info: everything the catalog knows about one entry.
#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "cmd/command.h"
#include "cmd/entry_facts.h"
#include "cmd/options.h"
#include "zoo/spec_json.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::string entry;
  std::string catalog;
  bool json = false;
};

void print_field(const char* name, const std::string& value) {
  fmt::print("  {:<14} {}\n", name, value.empty() ? "-" : value);
}

void print_list(const char* name, const std::vector<std::string>& values) {
  for (size_t i = 0; i < values.size(); ++i) print_field(i == 0 ? name : "", values[i]);
  if (values.empty()) print_field(name, "");
}

std::string describe(const zoo::Preprocessing& preprocessing, int64_t image_size) {
  const auto side =
      static_cast<int64_t>(std::floor(static_cast<double>(image_size) / preprocessing.crop_pct));
  const std::string filter = zoo::name_of(preprocessing.interpolation);
  std::string text;
  switch (preprocessing.crop_mode) {
    case zoo::CropMode::kCenter:
      text = fmt::format("shorter side to {}, {}", side, filter);
      break;
    case zoo::CropMode::kSquash:
      text = fmt::format("squashed to {0}x{0}, {1}", side, filter);
      break;
    case zoo::CropMode::kBorder:
      text = fmt::format("longer side to {}, {}, padded", side, filter);
      break;
  }
  const bool crops = preprocessing.crop_mode == zoo::CropMode::kCenter || side != image_size;
  return crops ? fmt::format("{}; centre {}x{}", text, image_size, image_size) : text;
}

std::vector<int64_t> channels_of(const zoo::Dimensions& dimensions) {
  std::vector<int64_t> channels;
  for (size_t stage = 0; stage < dimensions.depths.size(); ++stage) {
    channels.push_back(dimensions.embed_dim << stage);
  }
  return channels;
}

void print_dimensions(const zoo::Dimensions& d) {
  const auto stages = [](const std::vector<int64_t>& values) {
    return fmt::format("{}", fmt::join(values, ", "));
  };
  const bool video = d.family == "video_swin";
  print_field("patch", video ? fmt::format("2x{0}x{0}", d.patch_size) : fmt::format("{0}x{0}", d.patch_size));
  print_field("channels", stages(channels_of(d)));
  print_field("depths", stages(d.depths));
  print_field("heads", stages(d.num_heads));
  print_field("windows", video ? fmt::format("{} frames deep; {}", d.window_frames, stages(d.window_size))
                               : stages(d.window_size));
  if (d.family == "swinv2") print_field("trained with", "windows " + stages(d.pretrained_window_size));
  if (d.extra_norm_period > 0)
    print_field("extra norms", fmt::format("after every {} blocks", d.extra_norm_period));
  if (d.extra_norm_stage) print_field("extra norms", "at the end of each stage");
  print_field("mlp ratio", fmt::format("{}{}", d.mlp_ratio, d.qkv_bias ? "" : "; no bias of q, k and v"));
}

std::string describe(const zoo::PublishedAccuracy& figure) {
  std::string text = figure.dataset + ":";
  if (figure.top1) text += fmt::format(" top-1 {}", *figure.top1);
  if (figure.top5) text += fmt::format(" top-5 {}", *figure.top5);
  return fmt::format("{}, by {} ({})", text, figure.by, figure.source);
}

void print_text(const zoo::ModelSpec& spec) {
  const auto counts = counts_of(spec);
  const zoo::Preprocessing& preprocessing = spec.preprocessing;
  fmt::print("{}\n", spec.id);
  print_list("aliases", spec.aliases);
  print_field("collection", spec.collection);
  print_field("task",
              spec.num_classes > 0 ? fmt::format("{}, {} classes", spec.task, spec.num_classes) : spec.task);
  print_field("architecture", fmt::format("{} ({})", spec.architecture, spec.dimensions.family));
  print_field("input", fmt::format("{}x{}", spec.dimensions.in_chans, input_of(spec.dimensions)));
  print_dimensions(spec.dimensions);
  print_field("params", counts ? fmt::format("{}", counts->params) : "");
  print_field("MACs", counts ? fmt::format("{}", counts->macs) : "");
  print_field("preprocessing", describe(preprocessing, spec.dimensions.image_size));
  print_field("mean", fmt::format("{}", fmt::join(preprocessing.mean, ", ")));
  print_field("std", fmt::format("{}", fmt::join(preprocessing.std, ", ")));
  print_field("trained on", spec.dataset);
  print_field("licence", spec.license);
  print_list("sources", spec.sources);
  std::vector<std::string> figures;
  for (const zoo::PublishedAccuracy& figure : spec.published) figures.push_back(describe(figure));
  print_list("published", figures);
  print_field("fetched", is_fetched(spec) ? "yes" : "no");
}

json::object to_result(const zoo::ModelSpec& spec) {
  const auto counts = counts_of(spec);
  json::object result = zoo::to_json(spec);
  result["params"] = counts ? json::value(counts->params) : json::value(nullptr);
  result["macs"] = counts ? json::value(counts->macs) : json::value(nullptr);
  result["fetched"] = is_fetched(spec);
  return result;
}

int run(const Options& options) {
  const zoo::Catalog catalog = load_catalog(options.catalog);
  const zoo::ModelSpec& spec = catalog.find(options.entry);
  if (options.json) {
    print_results({to_result(spec)});
  } else {
    print_text(spec);
  }
  return 0;
}

}  // namespace

Action setup_info(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("entry", options->entry, "An id or alias of the catalog")->required()->type_name("ENTRY");
  add_catalog_option(app, options->catalog);
  add_format_option(app, options->json);
  return [options](const Globals&) { return run(*options); };
}

}  // namespace swinzoo::cmd
