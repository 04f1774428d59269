// The views of a video that a model is tested on, as its inputs (docs/preprocessing.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "eval/video_recipe.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// A video's frames that its views are made of, resized and cropped: 3 x side x side bytes for each frame and
// crop, whatever the size of the video; 58 MB for kinetics' 128 frames of 224.
class VideoViews {
 public:
  // How many frames the whole video has.
  int64_t total_frames() const { return total_; }

  // The recipe's, crop by crop and in it clip by clip, as the authors have them.
  int64_t views() const { return crops_ * static_cast<int64_t>(clips_.size()); }

  // View number `view` as 3 x frames x side x side floats, RGB: (pixel - mean) / std. Safe to call from
  // several threads at once. REQUIRES: out has that size.
  void fill(int64_t view, std::span<float> out) const;

 private:
  friend class ViewReader;

  int64_t total_ = 0;
  int64_t crops_ = 0;
  int64_t side_ = 0;
  std::vector<std::vector<size_t>> clips_;  // of each clip the places of its frames in `pixels_`
  std::vector<uint8_t> pixels_;             // frames x crops x side x side x 3
  const std::vector<float>* floats_ = nullptr;
};

// Immutable, so safe to share between threads: each call of read() has a decoder and memory of its own.
// Outlives the views that it reads.
class ViewReader {
 public:
  // Throws kUnsupported for a model that does not take square RGB clips.
  ViewReader(const VideoRecipe& recipe, const zoo::ModelSpec& spec);

  const VideoRecipe& recipe() const { return recipe_; }
  // Floats in one view: 3 x frames x side x side.
  int64_t view_size() const { return 3 * frames_ * side_ * side_; }

  // Decodes a video file's bytes with up to `threads` threads, and keeps what the recipe takes. A frame is
  // resized as soon as it is decoded. Throws what VideoDecoder throws.
  VideoViews decode(std::span<const std::byte> bytes, const std::string& name, int threads) const;

  // The same of a file. Throws kNotFound too.
  VideoViews read(const std::filesystem::path& path, int threads) const;

  // One line that says what is done to a video, decoders and their versions included, and ends in "#" and 12
  // hex digits of its SHA-256. Equal lines mean equal pixels.
  std::string fingerprint() const;

 private:
  VideoRecipe recipe_;
  int64_t frames_;
  int64_t side_;
  zoo::Preprocessing preprocessing_;
  std::vector<float> floats_;  // of each sample of R, G and B: 3 x 256
};

}  // namespace swinzoo::eval
