// ModelSpec: what a model is, as plain data.
//
// A spec comes from the catalog (catalog.h) or from a config.json (config_json.h). Names are timm's and the
// papers'.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace swinzoo::zoo {

// What an architecture's plan is built from. For video, the leading extents are frames.
struct Dimensions {
  std::string family;           // "swin", "swinv2", "swinv2_cr" or "video_swin": one file each in zoo/arch/
  int64_t image_size = 224;     // input height and width
  int64_t image_width = 0;      // video: the width of clips that are not square; 0: as image_size
  int64_t frames = 0;           // input frames; 0 for images
  int64_t in_chans = 3;         //
  int64_t patch_size = 4;       // height and width; video patches are 2 frames deep
  int64_t embed_dim = 96;       // channels of stage 0; doubled by each merging
  std::vector<int64_t> depths;  // blocks a stage
  std::vector<int64_t> num_heads;    // a stage
  std::vector<int64_t> window_size;  // a stage: height and width
  int64_t window_frames = 0;         // video: the window's depth; 0 for images
  double mlp_ratio = 4.0;
  bool qkv_bias = true;
  std::vector<int64_t> pretrained_window_size;  // swinv2, a stage: as trained before; 0 = no such
  int64_t extra_norm_period = 0;                // swinv2_cr: a norm after every n-th block; 0 = none
  bool extra_norm_stage = false;                // swinv2_cr ns: a norm after each stage's last block

  int64_t width() const { return image_width > 0 ? image_width : image_size; }

  bool operator==(const Dimensions&) const = default;
};

enum class CropMode { kCenter, kSquash, kBorder };  // timm's crop_mode
enum class Interpolation { kBilinear, kBicubic };   // Pillow's filters

// timm's eval transform: resize to floor(image_size / crop_pct) (the shorter side, or both when squashed),
// crop the centre, scale to 0..1, subtract mean, divide by std.
struct Preprocessing {
  double crop_pct = 0.9;
  CropMode crop_mode = CropMode::kCenter;
  Interpolation interpolation = Interpolation::kBicubic;
  std::array<double, 3> mean = {0.485, 0.456, 0.406};  // RGB, of values in 0..1
  std::array<double, 3> std = {0.229, 0.224, 0.225};

  bool operator==(const Preprocessing&) const = default;
};

// An accuracy that somebody published; percent.
struct PublishedAccuracy {
  std::string dataset;  // "imagenet", "imagenet-real", "kinetics400", ...
  std::string by;       // "authors", "timm", "collection"
  std::optional<double> top1;
  std::optional<double> top5;
  std::string source;  // the file or page the figures come from
};

struct ModelSpec {
  std::string id;                    // unique in the catalog; a path or hf:... for models outside it
  std::vector<std::string> aliases;  //
  std::string collection;    // "sayakpaul/swin/1", "timm", "microsoft", ...; empty outside the catalog
  std::string task;          // "classification" or "features"
  std::string architecture;  // timm's name, or the authors' for video
  Dimensions dimensions;
  int64_t num_classes = 0;  // of the head; 0 = no head
  std::vector<std::string> class_names;  // one a class, where the model's own files tell them (class_names.h)
  Preprocessing preprocessing;
  std::vector<std::string>
      sources;          // in order of preference: hf:OWNER/REPO, tfhub:OWNER/NAME/VERSION, https://...
  std::string license;  // SPDX, as the hub states it
  std::string dataset;  // what it was trained on: "imagenet-22k, imagenet-1k"
  std::vector<PublishedAccuracy> published;
};

}  // namespace swinzoo::zoo
