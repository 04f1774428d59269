#include "cmd/model_inputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/image.h"
#include "eval/image_folder.h"
#include "eval/input_tensor.h"
#include "eval/preprocess.h"
#include "formats/error.h"
#include "zoo/spec_check.h"

namespace swinzoo::cmd {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

ModelInputs::ModelInputs(const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    if (is_tensor_file(input)) {
      const Shape shape = eval::input_tensor_shape(input);
      rows_ += shape.empty() ? 0 : shape[0];
      inputs_.push_back({input, true});
      continue;
    }
    for (fs::path& path : images_of(input)) {
      inputs_.push_back({std::move(path), false});
      ++rows_;
    }
  }
}

void ModelInputs::fit(zoo::ModelSpec& spec) const {
  if (spec.dimensions.frames == 0) return;
  for (const Input& input : inputs_) {
    if (input.is_tensor) continue;
    fail(ErrorCode::kUnsupported,
         "{}: {} takes clips, and reading videos is not built yet; a .safetensors or .npy tensor is read, "
         "[batch, {}, frames, height, width]",
         input.path.string(), spec.id, spec.dimensions.in_chans);
  }
  const fs::path& first = inputs_.front().path;
  const Shape shape = eval::input_tensor_shape(first);
  if (shape.size() != 5) return;  // running it says what is wrong
  spec.dimensions.frames = shape[2];
  spec.dimensions.image_size = shape[3];
  spec.dimensions.image_width = shape[4] == shape[3] ? 0 : shape[4];
  zoo::check_dimensions(spec.dimensions, first.string());
}

void ModelInputs::for_each_batch(const zoo::ModelSpec& spec, size_t images,
                                 const std::function<void(const InputBatch&)>& body) const {
  const int64_t size = spec.dimensions.image_size;
  const auto per_image = static_cast<size_t>(3 * size * size);
  for (size_t first = 0; first < inputs_.size();) {
    if (inputs_[first].is_tensor) {
      InputBatch batch{{}, eval::read_input_tensor(inputs_[first].path)};
      const int64_t rows = batch.x.shape().empty() ? 0 : batch.x.shape()[0];
      for (int64_t row = 0; row < rows; ++row) {
        batch.names.push_back(fmt::format("{}[{}]", inputs_[first].path.string(), row));
      }
      body(batch);
      ++first;
      continue;
    }
    size_t last = first;
    while (last < inputs_.size() && last < first + images && !inputs_[last].is_tensor) ++last;
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
