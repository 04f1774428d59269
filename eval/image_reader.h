// Images as models' inputs, for a pass (pass.h).
#pragma once

#include <tbb/enumerable_thread_specific.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/data_set.h"
#include "eval/pass.h"
#include "eval/preprocess.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// How a model wants its images.
struct ImageForm {
  zoo::Preprocessing preprocessing;
  int64_t image_size = 0;
};

// Decodes an image once, whatever the number of forms. Safe to share between threads; each that reads keeps
// buffers of its own.
class ImageReader : public SampleReader {
 public:
  // `images` are indexes into source.paths(), one a sample. Throws as Preprocessor.
  ImageReader(const ImageSource& source, std::vector<size_t> images, const std::vector<ImageForm>& forms);

  std::span<const size_t> input_sizes() const override { return input_sizes_; }
  size_t views() const override { return 1; }
  void read(size_t sample, std::span<const std::span<float>> inputs) const override;

 private:
  struct Worker {
    Image image;
    std::vector<Preprocessor> forms;
  };

  const ImageSource& source_;
  std::vector<size_t> images_;
  std::vector<size_t> input_sizes_;
  mutable tbb::enumerable_thread_specific<Worker> workers_;
};

}  // namespace swinzoo::eval
