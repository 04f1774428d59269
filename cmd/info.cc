// swinzoo info: everything the catalog knows about one entry.
#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "cmd/command.h"
#include "cmd/entry_facts.h"
#include "cmd/options.h"
#include "eval/count.h"
#include "eval/text_table.h"
#include "formats/error.h"
#include "zoo/architecture.h"
#include "zoo/matched_model.h"
#include "zoo/spec_json.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::string entry;
  std::string catalog;
  bool plan = false;
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

// What a look into the files of a model tells beside its spec.
std::vector<std::string> notes_on(zoo::OpenedModel opened) {
  const zoo::MatchedModel model = zoo::match_model(std::move(opened));
  const bool identity =
      model.match.fits() && zoo::has_identity_norm(model.plan, model.match, *model.opened.checkpoint);
  return identity ? std::vector{std::string(kIdentityNorm)} : std::vector<std::string>();
}

// The same of an entry of the catalog, which may not be here to be looked at.
std::vector<std::string> notes_on_entry(const std::string& entry, const zoo::ModelSpec& spec,
                                        const zoo::Catalog& catalog) {
  if (!zoo::is_said_to_have_identity_norm(spec)) return {};
  try {
    return notes_on(zoo::open_model(entry, catalog));
  } catch (const Error&) {
    return {
        "its file's final norm is said to be the identity (weight 1, bias 0), by a slip of the "
        "collection's convert script; there is no file here to look at"};
  }
}

struct Known {
  zoo::ModelSpec spec;
  std::vector<std::string> notes;
};

Known find(const std::string& entry, const zoo::Catalog& catalog) {
  if (const zoo::ModelSpec* spec = catalog.lookup(entry)) {
    return {*spec, notes_on_entry(entry, *spec, catalog)};
  }
  if (const zoo::ModelSpec* architecture = catalog.lookup_architecture(entry)) return {*architecture, {}};
  zoo::OpenedModel opened = zoo::open_model(entry, catalog);
  zoo::ModelSpec spec = opened.spec;
  return {std::move(spec), notes_on(std::move(opened))};
}

void print_text(const Known& known) {
  const zoo::ModelSpec& spec = known.spec;
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
  print_field("params", fmt::format("{}", counts.params));
  print_field("MACs", fmt::format("{}", counts.macs));
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
  if (!known.notes.empty()) print_list("notes", known.notes);
}

json::object to_result(const Known& known) {
  const zoo::ModelSpec& spec = known.spec;
  const auto counts = counts_of(spec);
  json::object result = zoo::to_json(spec);
  result["params"] = counts.params;
  result["macs"] = counts.macs;
  result["fetched"] = is_fetched(spec);
  result["notes"] = json::array(known.notes.begin(), known.notes.end());
  return result;
}

// The plan's steps, each with its operations, their results' shapes for one image, and the MACs that each
// step counts.
void print_plan(const backends::Plan& plan) {
  const eval::Count count = eval::count(plan);
  eval::TextTable table(
      {{"step"}, {"operation"}, {"result"}, {"weights"}, {"MACs of the step", eval::Align::kRight}});
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const backends::Step& step = plan.steps[s];
    for (size_t i = 0; i < step.ops.size(); ++i) {
      const backends::Op& op = step.ops[i];
      std::vector<std::string> weights;
      for (const backends::WeightId id : op.weights) {
        if (id != backends::kNone) weights.push_back(plan.weight(id).name);
      }
      table.add({i == 0 ? step.name : "",
                 fmt::format("{}{}", backends::name_of(op.kind), op.once ? " (at load)" : ""),
                 to_string(plan.value(op.output).shape), fmt::format("{}", fmt::join(weights, ", ")),
                 i == 0 ? std::to_string(count.by_step[s].macs) : ""});
    }
  }
  fmt::print("{}", table.text());
}

json::array plan_result(const backends::Plan& plan) {
  json::array steps;
  for (const backends::Step& step : plan.steps) {
    json::array ops;
    for (const backends::Op& op : step.ops) {
      json::array weights;
      for (const backends::WeightId id : op.weights) {
        if (id != backends::kNone) weights.push_back(json::value(plan.weight(id).name));
      }
      const Shape& shape = plan.value(op.output).shape;
      ops.push_back(json::object{{"op", backends::name_of(op.kind)},
                                 {"inputs", json::array(op.inputs.begin(), op.inputs.end())},
                                 {"output", op.output},
                                 {"shape", json::array(shape.begin(), shape.end())},
                                 {"weights", std::move(weights)},
                                 {"at_load", op.once}});
    }
    steps.push_back(json::object{{"name", step.name}, {"ops", std::move(ops)}});
  }
  return steps;
}

int run(const Options& options) {
  const Known known = find(options.entry, load_catalog(options.catalog));
  std::optional<backends::Plan> plan;
  if (options.plan) plan = zoo::build_plan(known.spec);
  if (options.json) {
    json::object result = to_result(known);
    if (plan) result["plan"] = plan_result(*plan);
    print_results({std::move(result)});
    return 0;
  }
  print_text(known);
  if (plan) {
    fmt::print("\n");
    print_plan(*plan);
  }
  return 0;
}

}  // namespace

Action setup_info(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("entry", options->entry,
                 "An id or alias of the catalog, an architecture, hf:OWNER/REPO or a path")
      ->required()
      ->type_name("ENTRY");
  app.add_flag("--plan", options->plan, "What is run and counted too: the plan, operation by operation");
  add_catalog_option(app, options->catalog);
  add_format_option(app, options->json);
  return [options](const Globals&) { return run(*options); };
}

}  // namespace swinzoo::cmd
