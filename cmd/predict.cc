// swinzoo predict: runs a model on images or on a tensor; prints the best classes, or writes any of its
// outputs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <set>

#include "cmd/command.h"
#include "cmd/model_options.h"
#include "cmd/options.h"
#include "eval/accuracy.h"
#include "eval/image.h"
#include "eval/image_folder.h"
#include "eval/input_tensor.h"
#include "eval/preprocess.h"
#include "eval/text_table.h"
#include "formats/error.h"
#include "formats/safetensors.h"

namespace swinzoo::cmd {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::string output_file;
  int64_t topk = 5;
  bool json = false;
  ModelOptions run;
};

// A batch of inputs, and a name for each of its rows.
struct Batch {
  std::vector<std::string> names;
  Tensor x;
};

// The outputs of the model that --outputs means: "feature_maps" and "attention" stand for all of theirs.
std::vector<std::string> wanted_outputs(const Options& options, const backends::Plan& plan) {
  if (options.outputs.empty()) return {plan.find_output("logits") != nullptr ? "logits" : "embedding"};
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const std::string& wanted : options.outputs) {
    const std::string prefix = wanted == "feature_maps" ? "feature_map."
                               : wanted == "attention"  ? "attention."
                                                        : "";
    bool found = false;
    for (const backends::Output& output : plan.outputs) {
      if (output.name != wanted && (prefix.empty() || !output.name.starts_with(prefix))) continue;
      found = true;
      if (seen.insert(output.name).second) names.push_back(output.name);
    }
    if (!found) backends::fail_no_output(plan, wanted);
  }
  return names;
}

bool is_tensor_file(const fs::path& path) {
  return path.extension() == ".safetensors" || path.extension() == ".npy";
}

// The images that an input names: itself, or, of a folder, all in it and below.
std::vector<fs::path> images_of(const fs::path& input) {
  std::error_code error;
  if (!fs::exists(input, error)) fail(ErrorCode::kNotFound, "{}: no such file", input.string());
  if (!fs::is_directory(input)) return {input};
  std::vector<fs::path> images;
  for (const auto& entry : fs::recursive_directory_iterator(input)) {
    if (entry.is_regular_file() && eval::is_image_name(entry.path())) images.push_back(entry.path());
  }
  if (images.empty()) fail(ErrorCode::kNotFound, "{}: the folder holds no images", input.string());
  std::sort(images.begin(), images.end(),
            [](const fs::path& a, const fs::path& b) { return eval::natural_less(a.string(), b.string()); });
  return images;
}

Batch read_images(std::span<const fs::path> paths, const zoo::ModelSpec& spec) {
  const int64_t size = spec.dimensions.image_size;
  Batch batch{{}, Tensor(DType::kF32, {static_cast<int64_t>(paths.size()), 3, size, size})};
  const auto per_image = static_cast<size_t>(3 * size * size);
  for (size_t i = 0; i < paths.size(); ++i) {
    eval::preprocess(eval::read_image(paths[i]), spec.preprocessing, size,
                     batch.x.as<float>().subspan(i * per_image, per_image));
    batch.names.push_back(paths[i].string());
  }
  return batch;
}

// Calls body(batch) for all inputs in their order: images 8 at a time, a tensor as it is.
template <typename Body>
void for_each_batch(const Options& options, const zoo::ModelSpec& spec, Body body) {
  constexpr size_t kImages = 8;
  std::vector<fs::path> images;
  const auto run_images = [&] {
    for (size_t first = 0; first < images.size(); first += kImages) {
      const size_t count = std::min(kImages, images.size() - first);
      body(read_images(std::span(images).subspan(first, count), spec));
    }
    images.clear();
  };
  for (const std::string& input : options.inputs) {
    if (!is_tensor_file(input)) {
      for (fs::path& path : images_of(input)) images.push_back(std::move(path));
      continue;
    }
    run_images();
    Batch batch{{}, eval::read_input_tensor(input)};
    const int64_t rows = batch.x.shape().empty() ? 0 : batch.x.shape()[0];
    for (int64_t row = 0; row < rows; ++row) batch.names.push_back(fmt::format("{}[{}]", input, row));
    body(batch);
  }
  run_images();
}

// Appends b to a along the first axis.
void append(Tensor& a, Tensor b) {
  if (a.shape().empty()) {
    a = std::move(b);
    return;
  }
  Shape shape = a.shape();
  shape[0] += b.shape()[0];
  Tensor both(a.dtype(), shape);
  std::ranges::copy(a.bytes(), both.bytes().begin());
  std::ranges::copy(b.bytes(), both.bytes().begin() + static_cast<ptrdiff_t>(a.bytes().size()));
  a = std::move(both);
}

void write_outputs(const std::string& path, const std::vector<std::string>& names,
                   const std::vector<Tensor>& tensors, const std::string& model) {
  std::vector<TensorInfo> infos;
  for (size_t i = 0; i < names.size(); ++i) infos.push_back({names[i], DType::kF32, tensors[i].shape()});
  SafetensorsWriter writer(path, infos, {{"model", model}});
  for (const Tensor& tensor : tensors) writer.write(tensor.view());
  writer.commit();
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

void print_guesses(const std::string& name, const std::vector<Guess>& guesses) {
  eval::TextTable table(
      {{"class", eval::Align::kRight}, {"probability", eval::Align::kRight}, {"logit", eval::Align::kRight}});
  for (const Guess& guess : guesses) {
    table.add({std::to_string(guess.index), fmt::format("{:.4f}", guess.probability),
               fmt::format("{:.4f}", guess.logit)});
  }
  fmt::print("{}\n{}", name, table.text());
}

json::object to_result(const std::string& model, const std::string& name, const std::vector<Guess>& guesses) {
  json::array top;
  for (const Guess& guess : guesses) {
    top.push_back(
        json::object{{"class", guess.index}, {"probability", guess.probability}, {"logit", guess.logit}});
  }
  return {{"model", model}, {"input", name}, {"top", std::move(top)}};
}

int run(const Options& options, const Globals& globals) {
  const zoo::Model model = load_model(options.model, load_catalog(options.run.catalog), options.run,
                                      threads_of(options.run), globals);
  const std::vector<std::string> wanted = wanted_outputs(options, model.executable().plan());
  const auto logits_at = std::find(wanted.begin(), wanted.end(), "logits");
  if (options.output_file.empty() && logits_at == wanted.end()) {
    fail(ErrorCode::kUsage, "{} is written to a file: name it with -o OUT.safetensors",
         fmt::join(wanted, ", "));
  }

  std::vector<Tensor> collected(wanted.size());
  json::array results;
  for_each_batch(options, model.spec(), [&](const Batch& batch) {
    auto outputs = backends::run_outputs(model.executable(), batch.x.view(), wanted);
    if (logits_at != wanted.end()) {
      const Tensor& logits = outputs[static_cast<size_t>(logits_at - wanted.begin())].second;
      const auto classes = static_cast<size_t>(logits.shape()[1]);
      for (size_t row = 0; row < batch.names.size(); ++row) {
        const auto guesses =
            best_classes(std::as_const(logits).as<float>().subspan(row * classes, classes), options.topk);
        if (options.json) {
          results.push_back(to_result(model.spec().id, batch.names[row], guesses));
        } else {
          print_guesses(batch.names[row], guesses);
        }
      }
    }
    if (options.output_file.empty()) return;
    for (size_t i = 0; i < wanted.size(); ++i) append(collected[i], std::move(outputs[i].second));
  });
  if (!options.output_file.empty()) write_outputs(options.output_file, wanted, collected, model.spec().id);
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
                 "Images, folders of images, or a .safetensors or .npy tensor 'x', already normalised")
      ->required()
      ->type_name("INPUT");
  app.add_option("--outputs", options->outputs,
                 "What to compute: logits, embedding, features, feature_maps, attention, or one by its name")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->type_name("NAME[,NAME]");
  app.add_option("-o,--output", options->output_file, "Write the outputs here")->type_name("OUT.safetensors");
  app.add_option("--topk", options->topk, "Classes to print")
      ->check(in_range(1, 100000))
      ->type_name("K")
      ->capture_default_str();
  add_model_options(app, options->run);
  add_format_option(app, options->json);
  return [options](const Globals& globals) { return run(*options, globals); };
}

}  // namespace swinzoo::cmd
