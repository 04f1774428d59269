#include "zoo/spec_check.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "formats/error.h"

namespace swinzoo::zoo {
namespace {

constexpr std::array<std::string_view, 4> kFamilies = {"swin", "swinv2", "swinv2_cr", "video_swin"};
constexpr int64_t kLargestExtent = 1 << 16;  // of any side or width; the largest model's is 16384
constexpr size_t kMostStages = 8;
constexpr int64_t kMostBlocks = 1024;  // a stage: a plan takes about 8 kB a block; the deepest model has 42

void check_extent(int64_t value, const char* name, const std::string& where) {
  if (value < 1 || value > kLargestExtent) {
    fail(ErrorCode::kCorrupt, "{}: {} is {}; expected 1 to {}", where, name, value, kLargestExtent);
  }
}

void check_stages(const std::vector<int64_t>& values, size_t stages, int64_t least, const char* name,
                  const std::string& where, int64_t most = kLargestExtent) {
  if (values.size() != stages) {
    fail(ErrorCode::kCorrupt, "{}: {} has {} stages, depths has {}", where, name, values.size(), stages);
  }
  for (const int64_t value : values) {
    if (value < least || value > most) {
      fail(ErrorCode::kCorrupt, "{}: {} holds {}; expected {} to {}", where, name, value, least, most);
    }
  }
}

void check_unset(bool unset, const char* name, const Dimensions& dimensions, const std::string& where) {
  if (!unset) fail(ErrorCode::kCorrupt, "{}: {} means nothing in family {}", where, name, dimensions.family);
}

}  // namespace

void check_dimensions(const Dimensions& d, const std::string& where) {
  if (std::find(kFamilies.begin(), kFamilies.end(), d.family) == kFamilies.end()) {
    fail(ErrorCode::kCorrupt, "{}: family is \"{}\"; expected one of {}", where, d.family,
         fmt::join(kFamilies, ", "));
  }
  const bool video = d.family == "video_swin";
  check_extent(d.image_size, "image_size", where);
  check_extent(d.in_chans, "in_chans", where);
  check_extent(d.patch_size, "patch_size", where);
  check_extent(d.embed_dim, "embed_dim", where);
  if (!video && d.image_size % d.patch_size != 0) {  // the authors of Video Swin pad
    fail(ErrorCode::kCorrupt, "{}: image_size {} does not divide by patch_size {}", where, d.image_size,
         d.patch_size);
  }
  constexpr int64_t kMostInPatch = 65536;  // values; the backends hold some hundred patches at once
  if (d.in_chans > kMostInPatch / (d.patch_size * d.patch_size)) {
    fail(ErrorCode::kCorrupt, "{}: patches of {} x {} pixels with {} channels; expected at most {} values",
         where, d.patch_size, d.patch_size, d.in_chans, kMostInPatch);
  }
  if (d.depths.empty() || d.depths.size() > kMostStages) {
    fail(ErrorCode::kCorrupt, "{}: depths has {} stages; expected 1 to {}", where, d.depths.size(),
         kMostStages);
  }
  const size_t stages = d.depths.size();
  check_stages(d.depths, stages, 1, "depths", where, kMostBlocks);
  check_stages(d.num_heads, stages, 1, "num_heads", where);
  check_stages(d.window_size, stages, 1, "window_size", where);
  for (size_t i = 0; i < stages; ++i) {
    const int64_t channels = d.embed_dim << i;
    if (channels % d.num_heads[i] != 0) {
      fail(ErrorCode::kCorrupt, "{}: stage {} has {} channels, which do not divide by {} heads", where, i,
           channels, d.num_heads[i]);
    }
  }
  if (!(d.mlp_ratio > 0) || d.mlp_ratio > 64) {
    fail(ErrorCode::kCorrupt, "{}: mlp_ratio is {}; expected above 0 and at most 64", where, d.mlp_ratio);
  }
  if (video) {
    check_extent(d.width(), "image_width", where);
    check_extent(d.frames, "frames", where);
    check_extent(d.window_frames, "window_frames", where);
  } else {
    check_unset(d.image_width == 0, "image_width", d, where);
    check_unset(d.frames == 0, "frames", d, where);
    check_unset(d.window_frames == 0, "window_frames", d, where);
  }
  if (d.family == "swinv2") {
    check_stages(d.pretrained_window_size, stages, 0, "pretrained_window_size", where);
  } else {
    check_unset(d.pretrained_window_size.empty(), "pretrained_window_size", d, where);
  }
  if (d.family == "swinv2_cr") {
    if (d.extra_norm_period < 0) {
      fail(ErrorCode::kCorrupt, "{}: extra_norm_period is {}; expected 0 or more", where,
           d.extra_norm_period);
    }
  } else {
    check_unset(d.extra_norm_period == 0, "extra_norm_period", d, where);
    check_unset(!d.extra_norm_stage, "extra_norm_stage", d, where);
  }
}

void check_preprocessing(const Preprocessing& p, const std::string& where) {
  if (!(p.crop_pct > 0) || p.crop_pct > 1) {
    fail(ErrorCode::kCorrupt, "{}: crop_pct is {}; expected above 0 and at most 1", where, p.crop_pct);
  }
  for (const double value : p.std) {
    if (!(value > 0)) fail(ErrorCode::kCorrupt, "{}: std holds {}; expected above 0", where, value);
  }
}

}  // namespace swinzoo::zoo
