// The pictures that `predict` draws of one image: where the model looks, and what a stage makes of it.
#pragma once

#include <CLI/CLI.hpp>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "cmd/model_inputs.h"
#include "eval/image.h"
#include "zoo/spec.h"

namespace swinzoo::cmd {

struct PictureOptions {
  std::string attention_map;     // the file; empty: not asked for
  std::optional<int64_t> block;  // whose attention is drawn; none: rolled out over all blocks
  std::string feature_map;       // the file; empty: not asked for
  std::optional<int64_t> stage;  // whose features are drawn; none: 2

  bool any() const { return !attention_map.empty() || !feature_map.empty(); }
};

// Declares --attention-map, --block, --feature-map and --stage. `options` outlives the app's parsing.
void add_picture_options(CLI::App& app, PictureOptions& options);

// Not thread-safe. Options, spec and plan outlive it.
class Pictures {
 public:
  // Throws kUnsupported for a model of clips; kUsage where the inputs are not one image, or there is no such
  // block or stage.
  Pictures(const PictureOptions& options, const zoo::ModelSpec& spec, const backends::Plan& plan,
           const ModelInputs& inputs);

  // Adds the outputs that the pictures need to those that are bound, so that one run gives all. What is bound
  // already is read from there.
  void bind(std::vector<backends::OutputBinding>& bindings);

  // Draws and writes them, of the image `x` that was run with what bind() added. Throws kFailed where outputs
  // are not finite; kDiskFull.
  void draw(std::span<const float> x) const;

 private:
  void need(const std::string& output);
  std::span<const float> data_of(const std::string& output) const;
  void draw_attention(const eval::Image& image) const;
  void draw_features(const eval::Image& image) const;

  const PictureOptions& options_;
  const zoo::ModelSpec& spec_;
  const backends::Plan& plan_;
  std::map<std::string, std::span<const float>> data_;  // of each output needed; empty until bind()
  std::deque<Tensor> owned_;
};

}  // namespace swinzoo::cmd
