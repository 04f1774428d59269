// Which frames and which parts of them the authors of Video Swin test on, as data.
//
// Sources: SwinTransformer/Video-Swin-Transformer at db018fb, configs/recognition/swin/*.py (test_pipeline,
// model.test_cfg) and mmaction/datasets/pipelines: SampleFrames in test mode, with out_of_bound_opt 'loop';
// Resize of scale (-1, 224); ThreeCrop. All functions are safe to call from several threads at once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/resample.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// A view is a clip cropped to a square; its frames are as many, and its side is as long, as the model has.
struct VideoRecipe {
  std::string_view name;
  int64_t clips;     // a video
  int64_t interval;  // from a clip's frame to the next; 0: the frames are spread over the whole video
  int64_t crops;     // of each clip

  int64_t views() const { return clips * crops; }
};

// `kinetics`: 4 clips of every other frame, 3 crops. `ssv2`: 1 clip over all of the video, 3 crops.
std::span<const VideoRecipe> video_recipes();

// Throws kUsage, naming those there are.
const VideoRecipe& find_video_recipe(std::string_view name);

// What the authors test the model with: ssv2 for one that was trained on Something-Something v2 last, or,
// where nothing tells what it was trained on, has that set's 174 classes; else kinetics.
const VideoRecipe& default_video_recipe(const zoo::ModelSpec& spec);

// The frames of each clip, clip by clip, of a video of `total` frames. Videos that are too short begin again.
// REQUIRES: frames > 0, total > 0.
std::vector<std::vector<int64_t>> frame_indices(const VideoRecipe& recipe, int64_t frames, int64_t total);

struct FrameSize {
  int64_t width = 0;
  int64_t height = 0;

  bool operator==(const FrameSize&) const = default;
};

// The frame's size with a shorter side of `side`. REQUIRES: all are positive.
FrameSize resized_frame(const FrameSize& frame, int64_t side);

// The three crops of a frame whose shorter side is `side`, in the authors' order: the left or upper end, the
// other end, the middle.
std::vector<Window> three_crops(const FrameSize& resized, int64_t side);

// A video's probability of each class: the mean over its views of the softmax of their logits (the authors'
// average_clips='prob'). `logits` are views x classes. REQUIRES: logits.size() is views times a positive
// number.
std::vector<float> mean_probabilities(std::span<const float> logits, int64_t views);

// The mean of rows of equal length. REQUIRES: as above.
std::vector<float> mean_row(std::span<const float> values, int64_t rows);

}  // namespace swinzoo::eval
