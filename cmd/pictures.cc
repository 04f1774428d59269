#include "cmd/pictures.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/options.h"
#include "eval/attention_map.h"
#include "eval/picture.h"
#include "eval/preprocess.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

constexpr int64_t kDefaultStage = 2;
constexpr int64_t kLeastSide = 448;  // of what is drawn, in pixels

std::string attention_of(size_t block) { return fmt::format("attention.{}", block); }

std::string feature_map_of(const PictureOptions& options) {
  return fmt::format("feature_map.{}", options.stage.value_or(kDefaultStage));
}

// [channels, tokens] as [tokens, channels].
std::vector<float> channels_last(std::span<const float> data, size_t channels) {
  const size_t tokens = data.size() / channels;
  std::vector<float> result(data.size());
  for (size_t i = 0; i < data.size(); ++i) result[i % tokens * channels + i / tokens] = data[i];
  return result;
}

}  // namespace

void add_picture_options(CLI::App& app, PictureOptions& options) {
  CLI::Option* attention_map =
      app.add_option(
             "--attention-map", options.attention_map,
             "Draw where the model looks, its attention rolled out over all blocks, over the one image given")
          ->type_name("OUT.png");
  app.add_option("--block", options.block, "The attention map is this block's, counted from 0")
      ->check(in_range(0, 10000))
      ->needs(attention_map)
      ->type_name("N");
  CLI::Option* feature_map =
      app.add_option("--feature-map", options.feature_map,
                     "Draw the first three principal components of a stage's features of the one image given")
          ->type_name("OUT.png");
  app.add_option("--stage", options.stage,
                 fmt::format("The stage of the feature map, counted from 0 (default: {})", kDefaultStage))
      ->check(in_range(0, 10000))
      ->needs(feature_map)
      ->type_name("N");
}

Pictures::Pictures(const PictureOptions& options, const zoo::ModelSpec& spec, const backends::Plan& plan,
                   const ModelInputs& inputs)
    : options_(options), spec_(spec), plan_(plan) {
  if (spec.dimensions.frames > 0) {
    fail(ErrorCode::kUnsupported, "--attention-map and --feature-map draw over an image, and {} takes clips",
         spec.id);
  }
  if (!inputs.is_one_image()) {
    fail(ErrorCode::kUsage, "--attention-map and --feature-map take one image, not several and no tensor");
  }
  if (options.block) need(attention_of(static_cast<size_t>(*options.block)));
  for (size_t block = 0;
       !options.attention_map.empty() && !options.block && block < eval::attention_blocks(plan); ++block) {
    need(attention_of(block));
  }
  if (!options.feature_map.empty()) need(feature_map_of(options));
}

void Pictures::need(const std::string& output) {
  if (plan_.find_output(output) == nullptr) backends::fail_no_output(plan_, output);
  data_[output] = {};
}

std::span<const float> Pictures::data_of(const std::string& output) const { return data_.at(output); }

void Pictures::bind(std::vector<backends::OutputBinding>& bindings) {
  for (auto& [name, data] : data_) {
    const backends::Output* output = plan_.find_output(name);
    const auto index = static_cast<size_t>(output - plan_.outputs.data());
    const auto bound =
        std::find_if(bindings.begin(), bindings.end(),
                     [&](const backends::OutputBinding& binding) { return binding.output == index; });
    if (bound != bindings.end()) {
      data = bound->data;
      continue;
    }
    owned_.emplace_back(DType::kF32, plan_.output_shape(*output, 1));
    bindings.push_back({index, owned_.back().as<float>()});
    data = owned_.back().as<float>();
  }
}

void Pictures::draw(std::span<const float> x) const {
  const eval::Image image =
      eval::enlarged(eval::pixels_of(x, spec_.preprocessing, spec_.dimensions.image_size), kLeastSide);
  if (!options_.attention_map.empty()) draw_attention(image);
  if (!options_.feature_map.empty()) draw_features(image);
}

void Pictures::draw_attention(const eval::Image& image) const {
  eval::TokenMap map;
  if (options_.block) {
    const auto block = static_cast<size_t>(*options_.block);
    map = eval::block_attention(plan_, block, data_of(attention_of(block)));
  } else {
    std::vector<std::span<const float>> weights;
    for (size_t block = 0; block < eval::attention_blocks(plan_); ++block) {
      weights.push_back(data_of(attention_of(block)));
    }
    map = eval::rolled_out_attention(plan_, weights);
  }
  const zoo::Dimensions& d = spec_.dimensions;
  eval::write_png(options_.attention_map,
                  eval::heat_over(image, map, d.patch_size * image.width / d.image_size));
}

void Pictures::draw_features(const eval::Image& image) const {
  const std::string name = feature_map_of(options_);
  const backends::Output& output = *plan_.find_output(name);
  const Shape& grid = plan_.value(output.value).shape;  // [height, width, channels]
  std::span<const float> features = data_of(name);
  std::vector<float> turned;
  if (output.channels_first) features = turned = channels_last(features, static_cast<size_t>(grid[2]));
  const zoo::Dimensions& d = spec_.dimensions;
  const int64_t patch = d.patch_size * image.width / d.image_size;
  const int64_t token = patch << options_.stage.value_or(kDefaultStage);
  const eval::Image components = eval::principal_components(features, grid[0], grid[1], grid[2]);
  eval::write_png(
      options_.feature_map,
      eval::side_by_side(image, eval::spread_tokens(components, token, image.width, image.height)));
}

}  // namespace swinzoo::cmd
