#include "cmd/model_inputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/image.h"
#include "eval/image_folder.h"
#include "eval/input_tensor.h"
#include "eval/preprocess.h"
#include "eval/video_decoder.h"
#include "eval/video_views.h"
#include "formats/error.h"
#include "zoo/spec_check.h"

namespace swinzoo::cmd {
namespace {

namespace fs = std::filesystem;

bool is_tensor_file(const fs::path& path) {
  return path.extension() == ".safetensors" || path.extension() == ".npy";
}

// The files that an input names: itself, or, of a folder, all in it and below that are named as images, or,
// for a model of clips, as videos.
std::vector<fs::path> files_of(const fs::path& input, bool are_videos) {
  std::error_code error;
  if (!fs::exists(input, error)) fail(ErrorCode::kNotFound, "{}: no such file", input.string());
  if (!fs::is_directory(input)) return {input};
  const auto is_wanted = are_videos ? &eval::is_video_name : &eval::is_image_name;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(input)) {
    if (entry.is_regular_file() && is_wanted(entry.path())) files.push_back(entry.path());
  }
  if (files.empty()) {
    fail(ErrorCode::kNotFound, "{}: the folder holds no {}", input.string(),
         are_videos ? "videos" : "images");
  }
  std::sort(files.begin(), files.end(),
            [](const fs::path& a, const fs::path& b) { return eval::natural_less(a.string(), b.string()); });
  return files;
}

}  // namespace

ModelInputs::ModelInputs(const std::vector<std::string>& inputs, const zoo::ModelSpec& spec,
                         const std::string& recipe)
    : recipe_(recipe.empty() ? &eval::default_video_recipe(spec) : &eval::find_video_recipe(recipe)) {
  const bool takes_videos = spec.dimensions.frames > 0;
  for (const std::string& input : inputs) {
    if (is_tensor_file(input)) {
      const Shape shape = eval::input_tensor_shape(input);
      rows_ += shape.empty() ? 0 : shape[0];
      inputs_.push_back({input, Kind::kTensor});
      continue;
    }
    for (fs::path& path : files_of(input, takes_videos)) {
      if (takes_videos ? eval::is_image_name(path) : eval::is_video_name(path)) {
        fail(ErrorCode::kUnsupported, "{}: {} takes {}", path.string(), spec.id,
             takes_videos ? "clips, not images" : "images, not videos");
      }
      inputs_.push_back({std::move(path), takes_videos ? Kind::kVideo : Kind::kImage});
      rows_ += takes_videos ? recipe_->views() : 1;
    }
  }
  const bool has_video = std::ranges::any_of(inputs_, [](const Input& i) { return i.kind == Kind::kVideo; });
  if (!recipe.empty() && !has_video) {
    fail(ErrorCode::kUsage, "--recipe says how videos are read, and no input is a video");
  }
}

void ModelInputs::fit(zoo::ModelSpec& spec) const {
  if (spec.dimensions.frames == 0 || inputs_.front().kind != Kind::kTensor) return;
  const fs::path& first = inputs_.front().path;
  const Shape shape = eval::input_tensor_shape(first);
  if (shape.size() != 5) return;  // running it says what is wrong
  spec.dimensions.frames = shape[2];
  spec.dimensions.image_size = shape[3];
  spec.dimensions.image_width = shape[4] == shape[3] ? 0 : shape[4];
  zoo::check_dimensions(spec.dimensions, first.string());
}

void ModelInputs::for_each_batch(const zoo::ModelSpec& spec, size_t images, int threads,
                                 const std::function<void(const InputBatch&)>& body) const {
  const int64_t size = spec.dimensions.image_size;
  const auto per_image = static_cast<size_t>(3 * size * size);
  for (size_t first = 0; first < inputs_.size();) {
    const std::string name = inputs_[first].path.string();
    if (inputs_[first].kind == Kind::kTensor) {
      InputBatch batch{{}, eval::read_input_tensor(name)};
      const int64_t rows = batch.x.shape().empty() ? 0 : batch.x.shape()[0];
      for (int64_t row = 0; row < rows; ++row) batch.names.push_back(fmt::format("{}[{}]", name, row));
      body(batch);
      ++first;
      continue;
    }
    if (inputs_[first].kind == Kind::kVideo) {
      const eval::ViewReader reader(*recipe_, spec);
      const eval::VideoViews views = reader.read(name, threads);
      InputBatch batch{
          {name}, Tensor(DType::kF32, {1, 3, spec.dimensions.frames, size, size}), 0, views.views()};
      for (; batch.view < batch.views; ++batch.view) {
        views.fill(batch.view, batch.x.as<float>());
        body(batch);
      }
      ++first;
      continue;
    }
    size_t last = first;
    while (last < inputs_.size() && last < first + images && inputs_[last].kind == Kind::kImage) ++last;
    InputBatch batch{{}, Tensor(DType::kF32, {static_cast<int64_t>(last - first), 3, size, size})};
    eval::Preprocessor preprocessor(spec.preprocessing, size);
    for (size_t i = first; i < last; ++i) {
      preprocessor.read(inputs_[i].path, batch.x.as<float>().subspan((i - first) * per_image, per_image));
      batch.names.push_back(inputs_[i].path.string());
    }
    body(batch);
    first = last;
  }
}

}  // namespace swinzoo::cmd
