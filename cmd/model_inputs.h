// What `predict` runs a model on: images, folders of images, and tensors, a batch at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "formats/tensor.h"
#include "zoo/spec.h"

namespace swinzoo::cmd {

// A batch, and a name for each of its rows: an image's path, or FILE[ROW] for a tensor's rows.
struct InputBatch {
  std::vector<std::string> names;
  Tensor x;
};

class ModelInputs {
 public:
  // Looks the inputs up and reads the tensors' shapes. Throws kNotFound for what is missing, a folder without
  // images and a file without a tensor 'x'.
  explicit ModelInputs(const std::vector<std::string>& inputs);

  // Of all inputs together.
  int64_t rows() const { return rows_; }

  bool is_one_image() const { return inputs_.size() == 1 && !inputs_.front().is_tensor; }

  // A video model fits clips of any size: makes the spec that of the first input's clips. No change for image
  // models. Throws kUnsupported where an input is no tensor.
  void fit(zoo::ModelSpec& spec) const;

  // Calls body(batch) for all inputs in their order: images up to `images` at a time, a tensor as it is.
  // Throws what reading an image or a tensor throws.
  void for_each_batch(const zoo::ModelSpec& spec, size_t images,
                      const std::function<void(const InputBatch&)>& body) const;

 private:
  struct Input {
    std::filesystem::path path;
    bool is_tensor = false;
  };
  std::vector<Input> inputs_;
  int64_t rows_ = 0;
};

}  // namespace swinzoo::cmd
