#include "eval/video_reader.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace swinzoo::eval {

VideoReader::VideoReader(const ImageSource& source, std::vector<size_t> videos, std::vector<ViewReader> forms)
    : source_(source), videos_(std::move(videos)), forms_(std::move(forms)) {
  for (const ViewReader& form : forms_) {
    assert(static_cast<size_t>(form.recipe().views()) == views());
    input_sizes_.push_back(static_cast<size_t>(form.view_size()));
  }
}

void VideoReader::read(size_t sample, std::span<const std::span<float>> inputs) const {
  const ImageBytes stored = source_.read(videos_[sample]);
  for (size_t form = 0; form < inputs.size(); ++form) {
    if (inputs[form].empty()) continue;
    const VideoViews video = forms_[form].decode(stored.bytes, source_.name_of(videos_[sample]), 1);
    for (size_t view = 0; view < views(); ++view) {
      video.fill(static_cast<int64_t>(view),
                 inputs[form].subspan(view * input_sizes_[form], input_sizes_[form]));
    }
  }
}

}  // namespace swinzoo::eval
