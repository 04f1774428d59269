// swinzoo predict: runs a model on images, videos or a tensor; prints the best classes, writes any of its
// outputs, or draws pictures of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "cmd/command.h"
#include "cmd/model_inputs.h"
#include "cmd/model_options.h"
#include "cmd/options.h"
#include "cmd/output_file.h"
#include "cmd/overwrite.h"
#include "cmd/pictures.h"
#include "eval/accuracy.h"
#include "eval/text_table.h"
#include "eval/video_recipe.h"
#include "formats/error.h"
#include "zoo/class_names.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::string model;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<int64_t> attention_blocks;
  std::string output_file;
  std::string recipe;
  std::string classes_file;
  PictureOptions pictures;
  int64_t topk = 5;
  bool json = false;
  ModelOptions run;
};

// The outputs of the model that --outputs and --attention-blocks mean, as indexes into plan.outputs:
// "feature_maps" and "attention" stand for all of theirs. Where none are said: the logits, or, without a
// head, the embedding, unless only pictures are asked for.
std::vector<size_t> wanted_outputs(const Options& options, const backends::Plan& plan) {
  std::vector<std::string> names = options.outputs;
  if (!options.attention_blocks.empty()) {
    std::erase(names, "attention");
    for (const int64_t block : options.attention_blocks) names.push_back(fmt::format("attention.{}", block));
  }
  if (names.empty() && plan.find_output("logits") != nullptr) names = {"logits"};
  if (names.empty() && (!options.pictures.any() || !options.output_file.empty())) names = {"embedding"};
  std::vector<size_t> wanted;
  for (const std::string& name : names) {
    const std::string prefix = name == "feature_maps" ? "feature_map."
                               : name == "attention"  ? "attention."
                                                      : "";
    bool found = false;
    for (size_t i = 0; i < plan.outputs.size(); ++i) {
      const std::string& there = plan.outputs[i].name;
      if (there != name && (prefix.empty() || !there.starts_with(prefix))) continue;
      found = true;
      if (std::find(wanted.begin(), wanted.end(), i) == wanted.end()) wanted.push_back(i);
    }
    if (!found) backends::fail_no_output(plan, name);
  }
  return wanted;
}

struct Guess {
  int64_t index;
  float logit;
  double probability;
};

std::vector<Guess> best_classes(std::span<const float> logits, int64_t k) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  std::vector<Guess> guesses;
  for (const int64_t index : eval::top_k(logits, k)) {
    const float logit = logits[static_cast<size_t>(index)];
    guesses.push_back({index, logit, std::exp(logit - largest) / sum});
  }
  return guesses;
}

// Of a video: by the mean of its views' probabilities; logits are means too. `logits` are views x classes.
std::vector<Guess> best_classes_of_views(std::span<const float> logits, int64_t views, int64_t k) {
  const std::vector<float> probabilities = eval::mean_probabilities(logits, views);
  std::vector<Guess> guesses;
  for (const int64_t index : eval::top_k(probabilities, k)) {
    double sum = 0;
    for (auto i = static_cast<size_t>(index); i < logits.size(); i += probabilities.size()) sum += logits[i];
    guesses.push_back({index, static_cast<float>(sum / static_cast<double>(views)),
                       probabilities[static_cast<size_t>(index)]});
  }
  return guesses;
}

using ClassNames = std::vector<std::string>;  // empty where nobody names the classes

void print_guesses(const std::string& name, const std::vector<Guess>& guesses,
                   const ClassNames& class_names) {
  std::vector<eval::TextTable::Column> columns = {{"class", eval::Align::kRight}};
  if (!class_names.empty()) columns.push_back({"name", eval::Align::kLeft});
  columns.push_back({"probability", eval::Align::kRight});
  columns.push_back({"logit", eval::Align::kRight});
  eval::TextTable table(std::move(columns));
  for (const Guess& guess : guesses) {
    std::vector<std::string> cells = {std::to_string(guess.index)};
    if (!class_names.empty()) cells.push_back(class_names[static_cast<size_t>(guess.index)]);
    cells.push_back(fmt::format("{:.4f}", guess.probability));
    cells.push_back(fmt::format("{:.4f}", guess.logit));
    table.add(std::move(cells));
  }
  fmt::print("{}\n{}", name, table.text());
}

json::object to_result(const std::string& model, backends::Precision precision, const std::string& name,
                       const std::vector<Guess>& guesses, const ClassNames& class_names) {
  json::array top;
  for (const Guess& guess : guesses) {
    json::object row = {{"class", guess.index}};
    if (!class_names.empty()) row["name"] = class_names[static_cast<size_t>(guess.index)];
    row["probability"] = guess.probability;
    row["logit"] = guess.logit;
    top.push_back(std::move(row));
  }
  return {{"model", model},
          {"precision", backends::name_of(precision)},
          {"input", name},
          {"top", std::move(top)}};
}

void require_outputs_are_no_inputs(const Options& options, const zoo::Catalog& catalog) {
  std::vector<std::filesystem::path> inputs = files_of_models(std::span(&options.model, 1), catalog);
  inputs.insert(inputs.end(), options.inputs.begin(), options.inputs.end());
  inputs.insert(inputs.end(), {options.classes_file, options.run.catalog});
  for (const std::string& output :
       {options.output_file, options.pictures.attention_map, options.pictures.feature_map}) {
    require_not_an_input(output, inputs);
  }
}

int run(const Options& options, const Globals& globals) {
  const zoo::Catalog catalog = load_catalog(options.run.catalog);
  require_outputs_are_no_inputs(options, catalog);
  zoo::OpenedModel opened = zoo::open_model(options.model, catalog, options.run.hints);
  const ModelInputs inputs(options.inputs, opened.spec, options.recipe);
  inputs.fit(opened.spec);
  const int threads = threads_of(options.run);
  const zoo::Model model = load_model(std::move(opened), options.model, options.run, threads, globals);
  const ClassNames class_names = options.classes_file.empty()
                                     ? zoo::class_names_of(model.spec())
                                     : zoo::read_class_names(options.classes_file, model.spec());
  const backends::Plan& plan = model.executable().plan();
  const std::vector<size_t> wanted = wanted_outputs(options, plan);
  const auto logits_at = static_cast<size_t>(
      std::find_if(wanted.begin(), wanted.end(), [&](size_t i) { return plan.outputs[i].name == "logits"; }) -
      wanted.begin());
  const bool has_logits = logits_at < wanted.size();
  if (options.output_file.empty() && wanted.size() > (has_logits ? 1 : 0)) {
    fail(ErrorCode::kUsage,
         "outputs other than logits are written to a file: name it with -o OUT.safetensors");
  }
  std::optional<Pictures> pictures;
  if (options.pictures.any()) pictures.emplace(options.pictures, model.spec(), plan, inputs);
  std::optional<OutputFile> file;
  if (!options.output_file.empty())
    file.emplace(options.output_file, plan, wanted, inputs.rows(), model.spec().id);

  constexpr size_t kImages = 8;       // at a time
  constexpr int kDecoderThreads = 4;  // a frame is decoded on each
  json::array results;
  const auto report = [&](const InputBatch& batch, size_t row, const std::vector<Guess>& guesses) {
    if (!options.json) {
      const std::string suffix =
          batch.views > 0 ? fmt::format(" ({}, {} views)", inputs.recipe().name, batch.views) : "";
      print_guesses(batch.names[row] + suffix, guesses, class_names);
      return;
    }
    json::object result =
        to_result(model.spec().id, options.run.precision, batch.names[row], guesses, class_names);
    if (batch.views > 0) {
      result["recipe"] = inputs.recipe().name;
      result["views"] = batch.views;
    }
    results.push_back(std::move(result));
  };
  std::vector<float> views;  // the logits of a video's, so far
  inputs.for_each_batch(
      model.spec(), kImages, std::min(threads, kDecoderThreads), [&](const InputBatch& batch) {
        backends::require_input(plan, batch.x.view());
        const auto rows = static_cast<int64_t>(batch.names.size());
        Tensor logits;  // where no file holds them
        std::vector<backends::OutputBinding> bindings;
        if (file) {
          bindings = file->next(rows);
        } else if (has_logits) {
          logits = Tensor(DType::kF32, {rows, model.spec().num_classes});
          bindings = {{wanted.front(), logits.as<float>()}};
        }
        if (pictures) pictures->bind(bindings);
        model.executable().run(batch.x.view(), bindings);
        if (pictures) pictures->draw(batch.x.as<float>());
        if (!has_logits) return;
        const std::span<const float> found = bindings[logits_at].data;
        if (batch.views > 0) {
          views.insert(views.end(), found.begin(), found.end());
          if (batch.view + 1 < batch.views) return;
          report(batch, 0, best_classes_of_views(views, batch.views, options.topk));
          views.clear();
          return;
        }
        const auto classes = static_cast<size_t>(model.spec().num_classes);
        for (size_t row = 0; row < batch.names.size(); ++row) {
          report(batch, row, best_classes(found.subspan(row * classes, classes), options.topk));
        }
      });
  if (file) file->commit();
  if (options.json) print_results(std::move(results));
  return 0;
}

}  // namespace

Action setup_predict(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("model", options->model, "A catalog id, hf:OWNER/REPO in the cache, or a path")
      ->required()
      ->type_name("MODEL");
  app.add_option("input", options->inputs,
                 "Images, or for a video model videos, folders of them, or a .safetensors or .npy tensor "
                 "'x', already normalised")
      ->required()
      ->type_name("INPUT");
  app.add_option("--outputs", options->outputs,
                 "What to compute: logits, embedding, features, feature_maps, attention, or one by its name")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->type_name("NAME[,NAME]");
  app.add_option("--attention-blocks", options->attention_blocks,
                 "The attention weights of these blocks only, counted from 0")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->check(in_range(0, 10000))
      ->type_name("N[,N]");
  app.add_option("-o,--output", options->output_file, "Write the outputs here")->type_name("OUT.safetensors");
  app.add_option(
         "--recipe", options->recipe,
         "The views of a video: kinetics (4 clips x 3 crops) or ssv2 (1 clip x 3 crops); the authors' for "
         "the model if not given")
      ->type_name("NAME");
  app.add_option("--topk", options->topk, "Classes to print")
      ->check(in_range(1, 100000))
      ->type_name("K")
      ->capture_default_str();
  app.add_option("--classes", options->classes_file, "The names of the classes, one a line")
      ->type_name("FILE");
  add_picture_options(app, options->pictures);
  add_model_options(app, options->run);
  add_format_option(app, options->json);
  return [options](const Globals& globals) { return run(*options, globals); };
}

}  // namespace swinzoo::cmd
