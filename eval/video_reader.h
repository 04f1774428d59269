// Videos as models' inputs, for a pass (pass.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "eval/image_source.h"
#include "eval/pass.h"
#include "eval/video_views.h"

namespace swinzoo::eval {

// Each thread that reads decodes one video, and keeps of it what ViewReader does. Safe to share between
// threads.
class VideoReader : public SampleReader {
 public:
  // `videos` are indexes into source.paths(), one a sample. REQUIRES: there is a form, and all have as many
  // views.
  VideoReader(const ImageSource& source, std::vector<size_t> videos, std::vector<ViewReader> forms);

  std::span<const size_t> input_sizes() const override { return input_sizes_; }
  size_t views() const override { return static_cast<size_t>(forms_.front().recipe().views()); }
  void read(size_t sample, std::span<const std::span<float>> inputs) const override;

 private:
  const ImageSource& source_;
  std::vector<size_t> videos_;
  std::vector<ViewReader> forms_;
  std::vector<size_t> input_sizes_;
};

}  // namespace swinzoo::eval
