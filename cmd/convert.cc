// swinzoo convert: a checkpoint into the common format.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include "cmd/command.h"
#include "cmd/options.h"
#include "eval/compare_outputs.h"
#include "eval/input_tensor.h"
#include "eval/machine.h"
#include "formats/error.h"
#include "zoo/architecture.h"
#include "zoo/canonical.h"
#include "zoo/model.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::string source;
  std::string output;
  std::string catalog;
  zoo::SpecHints hints;
  std::string dtype = "f32";
  bool force = false;
  bool no_check = false;
  bool json = false;
};

DType dtype_of_option(const std::string& name) {
  return name == "f32" ? DType::kF32 : name == "f16" ? DType::kF16 : DType::kBF16;
}

using Outputs = std::vector<std::pair<std::string, Tensor>>;

// A model's outputs for one seeded input, all but the attention weights, which all later outputs depend on.
Outputs outputs_of(zoo::OpenedModel opened) {
  const zoo::Model model(std::move(opened), backends::find_backend("cpu"), {eval::available_cores()});
  const backends::Plan& plan = model.executable().plan();
  std::vector<std::string> names;
  for (const backends::Output& output : plan.outputs) {
    if (!output.name.starts_with("attention.")) names.push_back(output.name);
  }
  return backends::run_outputs(model.executable(), eval::seeded_input(plan.input_shape(1), 1).view(), names);
}

// What the numeric check found.
struct Check {
  std::string not_checked;  // why not; empty: it was
  bool same_bits = true;
  double largest = 0;                   // error, relative to its output's largest value
  std::string largest_in;               // its output
  std::vector<std::string> not_finite;  // outputs that are finite in one of the two only
};

// Runs the source and what was written of it, one after the other.
Check check_outputs(zoo::OpenedModel source, const std::filesystem::path& written) {
  const zoo::ModelSpec spec = source.spec;
  const Outputs expected = outputs_of(std::move(source));
  const Outputs found = outputs_of({spec, written.string(), open_checkpoint(written)});
  Check check;
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto& [name, tensor] = expected[i];
    if (std::ranges::equal(tensor.bytes(), found[i].second.bytes())) continue;
    check.same_bits = false;
    const eval::OutputError error = eval::error_of(tensor.as<float>(), found[i].second.as<float>());
    if (std::isinf(error.max_abs)) {
      check.not_finite.push_back(name);
    } else if (error.relative() >= check.largest) {
      check.largest = error.relative();
      check.largest_in = name;
    }
  }
  return check;
}

// Throws kCorrupt if the file gives other outputs than its source: any at all where nothing was rounded, else
// such as are no numbers any more.
void require_same_outputs(const Check& check, const Options& options) {
  if (!check.not_checked.empty()) return;
  if (!check.not_finite.empty()) {
    fail(ErrorCode::kCorrupt,
         "{}: as {}, outputs of the model are NaN or infinite that are finite as {}: {}; nothing was written "
         "(--no-check writes it all the same)",
         options.output, options.dtype, options.source, fmt::join(check.not_finite, ", "));
  }
  if (options.dtype == "f32" && !check.same_bits) {
    fail(ErrorCode::kCorrupt,
         "{}: gives other outputs than {}: {} differs by {:.2e} of its largest; nothing was written",
         options.output, options.source, check.largest_in, check.largest);
  }
}

json::object to_json(const Check& check) {
  if (!check.not_checked.empty()) return {{"checked", false}, {"reason", check.not_checked}};
  return {{"checked", true},
          {"same_bits", check.same_bits},
          {"largest_error", check.largest},
          {"largest_error_in", check.largest_in}};
}

std::string to_text(const Check& check) {
  if (!check.not_checked.empty()) return "not checked: " + check.not_checked;
  if (check.same_bits) return "the same as the source's, bit for bit";
  return fmt::format("within {:.2e} of the source's largest ({})", check.largest, check.largest_in);
}

void warn(const std::vector<std::string>& tensors, const std::string& what) {
  if (tensors.empty()) return;
  fmt::print(stderr, "swinzoo: warning: {} in {} tensors: {}\n", what, tensors.size(), listed(tensors));
}

int run(const Options& options) {
  if (!options.force && std::filesystem::exists(options.output)) {
    fail(ErrorCode::kUsage, "{}: is there already; --force overwrites it", options.output);
  }
  zoo::OpenedModel source = zoo::open_model(options.source, load_catalog(options.catalog), options.hints);
  const std::string id = source.spec.id, origin = source.origin;
  const backends::Plan plan = zoo::build_plan(source.spec);
  zoo::CanonicalFile file(options.output, source.spec, plan, *source.checkpoint,
                          dtype_of_option(options.dtype));
  warn(file.not_finite(), "NaN and infinity, which are kept, are");
  warn(file.overflowed(), fmt::format("values too large for {} became infinite", options.dtype));
  Check check;
  check.not_checked = "--no-check";
  if (!options.no_check) check = check_outputs(std::move(source), file.temporary());
  require_same_outputs(check, options);
  file.commit();

  int64_t params = 0;
  for (const backends::Weight& weight : plan.weights) params += element_count(weight.shape);
  const auto bytes = std::filesystem::file_size(options.output);
  const std::string digest = zoo::weights_digest(file.digests());
  const std::string source_digest = zoo::weights_digest(file.source_digests());
  if (options.json) {
    print_results(
        {json::object{{"model", id},
                      {"source", origin},
                      {"output", options.output},
                      {"dtype", options.dtype},
                      {"tensors", plan.weights.size()},
                      {"params", params},
                      {"bytes", bytes},
                      {"weights_digest", digest},
                      {"source_weights_digest", source_digest},
                      {"overflowed", json::array(file.overflowed().begin(), file.overflowed().end())},
                      {"outputs", to_json(check)}}});
    return 0;
  }
  fmt::print("{}\n  source   {}\n  tensors  {} of {}\n  params   {}\n  bytes    {}\n  weights  sha256:{}\n",
             options.output, origin, plan.weights.size(), options.dtype, params, bytes, digest);
  if (digest != source_digest) fmt::print("  rounded  from sha256:{}\n", source_digest);
  fmt::print("  outputs  {}\n", to_text(check));
  return 0;
}

}  // namespace

Action setup_convert(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("source", options->source, "A catalog id, hf:OWNER/REPO in the cache, or a path")
      ->required()
      ->type_name("SRC");
  app.add_option("-o,--output", options->output, "The canonical file to write")
      ->required()
      ->type_name("OUT.safetensors");
  app.add_option("--dtype", options->dtype, "What the weights are stored as")
      ->check(one_of({"f32", "f16", "bf16"}))
      ->type_name("f32|f16|bf16")
      ->capture_default_str();
  app.add_flag("--force", options->force, "Overwrite OUT where it is there already");
  app.add_flag("--no-check", options->no_check, "Don't run both files to compare their outputs");
  add_catalog_option(app, options->catalog);
  add_hint_options(app, options->hints);
  add_format_option(app, options->json);
  return [options](const Globals&) { return run(*options); };
}

}  // namespace swinzoo::cmd
