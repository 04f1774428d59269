// What `predict` runs a model on: images or videos, folders of them, and tensors, a batch at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "eval/video_recipe.h"
#include "formats/tensor.h"
#include "zoo/spec.h"

namespace swinzoo::cmd {

// A batch, and a name for each of its rows: an image's path, or FILE[ROW] for a tensor's rows. Of a video,
// one of its views, under the video's path.
struct InputBatch {
  std::vector<std::string> names;
  Tensor x;
  int64_t view = 0;
  int64_t views = 0;  // of the video; 0: no video
};

class ModelInputs {
 public:
  // Looks the inputs up, for a model of images or of clips, and reads the tensors' shapes. Videos are read by
  // `recipe`; where that is empty, by the model's own. Throws kNotFound for what is missing, a folder without
  // images or videos and a file without a tensor 'x'; kUnsupported for images where the model takes videos,
  // and the other way round; kUsage for a recipe that is not known, or where no input is a video.
  ModelInputs(const std::vector<std::string>& inputs, const zoo::ModelSpec& spec, const std::string& recipe);

  // Of all inputs together; a row for each view of a video.
  int64_t rows() const { return rows_; }

  bool is_one_image() const { return inputs_.size() == 1 && inputs_.front().kind == Kind::kImage; }

  // How videos are read.
  const eval::VideoRecipe& recipe() const { return *recipe_; }

  // A video model fits clips of any size: makes the spec that of the first input, where that is a tensor. No
  // change for image models.
  void fit(zoo::ModelSpec& spec) const;

  // Calls body(batch) for all inputs in their order: images up to `images` at a time, a tensor as it is, a
  // video's views one by one. Throws what reading them throws. `threads`: at most so many decode a video.
  void for_each_batch(const zoo::ModelSpec& spec, size_t images, int threads,
                      const std::function<void(const InputBatch&)>& body) const;

 private:
  enum class Kind { kTensor, kImage, kVideo };
  struct Input {
    std::filesystem::path path;
    Kind kind = Kind::kImage;
  };
  std::vector<Input> inputs_;
  const eval::VideoRecipe* recipe_;
  int64_t rows_ = 0;
};

}  // namespace swinzoo::cmd
