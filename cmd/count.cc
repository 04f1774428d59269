// swinzoo count: parameters, MACs and activations of models, from their plans.
#include "eval/count.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cmd/command.h"
#include "cmd/options.h"
#include "eval/text_table.h"
#include "zoo/architecture.h"
#include "zoo/model.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::vector<std::string> models;
  std::string catalog;
  bool by_op = false;
  bool by_block = false;
  zoo::SpecHints hints;
  std::string convention = "fvcore";
  bool explain = false;
  bool json = false;

  bool as_torch() const { return convention == "torch"; }
};

struct Row {
  std::string model;
  int64_t image_size;
  eval::Count count;
};

json::object to_result(const Row& row, const Options& options) {
  json::object by_operator;
  for (const auto& [name, macs] : row.count.by_operator) by_operator[name] = macs;
  json::object result = {{"model", row.model},
                         {"image_size", row.image_size},
                         {"params", row.count.params},
                         {"macs", row.count.macs},
                         {"activations", row.count.activations},
                         {"by_operator", std::move(by_operator)}};
  if (options.as_torch()) result["flops"] = eval::torch_flops(row.count);
  if (options.by_block) {
    json::array blocks;
    for (const eval::StepCount& step : row.count.by_step) {
      blocks.push_back(json::object{{"name", step.name},
                                    {"params", step.params},
                                    {"macs", step.macs},
                                    {"activations", step.activations}});
    }
    result["by_block"] = std::move(blocks);
  }
  return result;
}

std::string number(int64_t value) { return fmt::format("{}", value); }

std::string billions(int64_t value) { return fmt::format("{:.2f}", static_cast<double>(value) / 1e9); }

void print_summary(const std::vector<Row>& rows, const Options& options) {
  using eval::Align;
  eval::TextTable summary({{"model"},
                           {"size", Align::kRight},
                           {"params", Align::kRight},
                           {options.as_torch() ? "GFLOPs" : "GMACs", Align::kRight},
                           {options.as_torch() ? "FLOPs" : "MACs", Align::kRight},
                           {"activations", Align::kRight}});
  for (const Row& row : rows) {
    const int64_t cost = options.as_torch() ? eval::torch_flops(row.count) : row.count.macs;
    summary.add({row.model, number(row.image_size), number(row.count.params), billions(cost), number(cost),
                 number(row.count.activations)});
  }
  fmt::print("{}", summary.text());
}

// What each convention makes of a model's operations, with the model's own figures.
void explain(const Row& row) {
  using eval::Align;
  const auto macs_of = [&](const char* name) {
    const auto found = row.count.by_operator.find(name);
    return found == row.count.by_operator.end() ? int64_t{0} : found->second;
  };
  eval::TextTable table(
      {{"operation"}, {"fvcore: MACs", Align::kRight}, {"torch: FLOPs", Align::kRight}, {"rule"}});
  for (const char* name : {"conv", "linear", "matmul"}) {
    table.add(
        {name, number(macs_of(name)), number(2 * macs_of(name)), "one MAC, two FLOPs an element and depth"});
  }
  table.add({"layer_norm", number(macs_of("layer_norm")), "0", "fvcore: 5 an element; torch: not counted"});
  if (const int64_t pooled = macs_of("adaptive_avg_pool2d"); pooled > 0) {
    table.add({"adaptive_avg_pool2d", number(pooled), "0", "fvcore: one an element; torch: not counted"});
  }
  table.add({"softmax, GELU, sums, moves", "0", "0", "counted by neither"});
  table.add({"total", number(row.count.macs), number(eval::torch_flops(row.count)), ""});
  fmt::print("\n{}, what is counted\n{}", row.model, table.text());
  const int64_t once = row.count.macs - row.count.macs_each_run;
  if (once > 0) {
    fmt::print(
        "{} of the MACs are the networks that give position biases. They are counted once, whatever the "
        "batch:\n"
        "they are computed when the model is loaded, so a bench's GMAC/s leaves them out.\n",
        once);
  }
}

void print_text(const std::vector<Row>& rows, const Options& options) {
  using eval::Align;
  print_summary(rows, options);
  for (const Row& row : rows) {
    if (options.explain) explain(row);
    if (options.by_op) {
      eval::TextTable table({{"operator"}, {"MACs", Align::kRight}});
      for (const auto& [name, macs] : row.count.by_operator) table.add({name, number(macs)});
      fmt::print("\n{}, by operator\n{}", row.model, table.text());
    }
    if (options.by_block) {
      eval::TextTable table(
          {{"step"}, {"params", Align::kRight}, {"MACs", Align::kRight}, {"activations", Align::kRight}});
      for (const eval::StepCount& step : row.count.by_step) {
        table.add({step.name, number(step.params), number(step.macs), number(step.activations)});
      }
      fmt::print("\n{}, by step\n{}", row.model, table.text());
    }
  }
}

int run(const Options& options) {
  const zoo::Catalog catalog = load_catalog(options.catalog);
  std::vector<Row> rows;
  const int status = for_each_model(options.models, [&](const std::string& model) {
    const zoo::ModelSpec spec = zoo::find_spec(model, catalog, options.hints);
    rows.push_back({model, spec.dimensions.image_size, eval::count(zoo::build_plan(spec))});
  });
  if (options.json) {
    json::array results;
    for (const Row& row : rows) results.push_back(to_result(row, options));
    print_results(std::move(results));
  } else {
    print_text(rows, options);
  }
  return status;
}

}  // namespace

Action setup_count(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("model", options->models,
                 "Catalog ids, architectures (with timm's classes), hf:OWNER/REPO or paths")
      ->required()
      ->type_name("MODEL");
  app.add_flag("--by-op", options->by_op, "MACs by operator too (JSON always has them)");
  app.add_flag("--by-block", options->by_block, "Each step of the plan too");
  add_hint_options(app, options->hints);
  app.add_option("--as", options->convention, "Whose convention the total follows")
      ->check(one_of({"fvcore", "torch"}))
      ->type_name("fvcore|torch")
      ->capture_default_str();
  app.add_flag("--explain", options->explain, "What each convention counts and leaves out");
  add_catalog_option(app, options->catalog);
  add_format_option(app, options->json);
  return [options](const Globals&) { return run(*options); };
}

}  // namespace swinzoo::cmd
