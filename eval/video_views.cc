#include "eval/video_views.h"

#include <fmt/ranges.h>

#include <cassert>
#include <map>

#include "eval/bilinear.h"
#include "eval/video_decoder.h"
#include "formats/error.h"
#include "formats/mapped_file.h"
#include "formats/sha256.h"

namespace swinzoo::eval {

void VideoViews::fill(int64_t view, std::span<float> out) const {
  const auto clips = static_cast<int64_t>(clips_.size());
  assert(view >= 0 && view < views());
  const std::vector<size_t>& clip = clips_[static_cast<size_t>(view % clips)];
  const auto crop = static_cast<size_t>(view / clips);
  const auto plane = static_cast<size_t>(side_ * side_);
  assert(out.size() == 3 * clip.size() * plane);
  for (size_t c = 0; c < 3; ++c) {
    const float* floats = floats_->data() + 256 * c;
    for (size_t i = 0; i < clip.size(); ++i) {
      const uint8_t* pixel = pixels_.data() + 3 * plane * (clip[i] * static_cast<size_t>(crops_) + crop) + c;
      float* to = out.data() + plane * (c * clip.size() + i);
      for (size_t p = 0; p < plane; ++p) to[p] = floats[pixel[3 * p]];
    }
  }
}

ViewReader::ViewReader(const VideoRecipe& recipe, const zoo::ModelSpec& spec)
    : recipe_(recipe),
      frames_(spec.dimensions.frames),
      side_(spec.dimensions.image_size),
      preprocessing_(spec.preprocessing) {
  if (frames_ < 1 || side_ < 1 || spec.dimensions.width() != side_ || spec.dimensions.in_chans != 3) {
    fail(ErrorCode::kUnsupported,
         "{}: videos are read for models of square RGB clips, not of {} x {} frames x {} x {}", spec.id,
         spec.dimensions.in_chans, frames_, side_, spec.dimensions.width());
  }
  for (size_t c = 0; c < 3; ++c) {
    const double mean = 255 * preprocessing_.mean[c];
    const double std = 255 * preprocessing_.std[c];
    for (int pixel = 0; pixel < 256; ++pixel) floats_.push_back(static_cast<float>((pixel - mean) / std));
  }
}

VideoViews ViewReader::read(const std::filesystem::path& path, int threads) const {
  const MappedFile file(path);
  return decode(file.bytes(), path.string(), threads);
}

VideoViews ViewReader::decode(std::span<const std::byte> bytes, const std::string& name, int threads) const {
  int64_t total = VideoDecoder(bytes, name, 1).likely_frames();
  while (true) {
    VideoViews views;
    views.crops_ = recipe_.crops;
    views.side_ = side_;
    views.floats_ = &floats_;
    std::map<int64_t, size_t> places;  // in pixels_, of the frames that are taken
    for (const std::vector<int64_t>& clip : frame_indices(recipe_, frames_, std::max<int64_t>(total, 1))) {
      std::vector<size_t>& taken = views.clips_.emplace_back();
      for (const int64_t frame : clip)
        taken.push_back(places.try_emplace(frame, places.size()).first->second);
    }
    const auto crop_size = static_cast<size_t>(3 * side_ * side_);
    views.pixels_.resize(places.size() * static_cast<size_t>(recipe_.crops) * crop_size);

    VideoDecoder decoder(bytes, name, threads);
    BilinearResizer resizer;
    Image image;
    FrameSize resized;
    while (decoder.next()) {
      const bool is_first = decoder.frames() == 1;
      const auto place = places.find(decoder.frames() - 1);
      if (!is_first && place == places.end()) continue;
      decoder.convert(image);
      if (is_first) resized = resized_frame({image.width, image.height}, side_);
      if (place == places.end()) continue;
      uint8_t* to = views.pixels_.data() + place->second * static_cast<size_t>(recipe_.crops) * crop_size;
      for (const Window& crop : three_crops(resized, side_)) {
        resizer.resize(image, resized.width, resized.height, crop, {to, crop_size});
        to += crop_size;
      }
    }
    views.total_ = decoder.frames();
    if (views.total_ == total) return views;
    total = views.total_;  // what the container said was wrong: once more
  }
}

std::string ViewReader::fingerprint() const {
  const std::string frames =
      recipe_.interval > 0
          ? fmt::format("{} clips of {} frames, interval {}, from the start again at the end", recipe_.clips,
                        frames_, recipe_.interval)
          : fmt::format("{} frames spread over the video", frames_);
  const std::string line = fmt::format(
      "{}, RGB by FFmpeg's default; {}: {}; OpenCV 5.0 bilinear 8-bit; shorter side to {} (longer half up), "
      "{} crops {}; "
      "mean {}; std {}",
      video_decoder_versions(), recipe_.name, frames, side_, recipe_.crops, side_,
      fmt::join(preprocessing_.mean, " "), fmt::join(preprocessing_.std, " "));
  const std::string digest = sha256_hex(std::as_bytes(std::span(line)));
  return fmt::format("{} #{}", line, digest.substr(0, 12));
}

}  // namespace swinzoo::eval
