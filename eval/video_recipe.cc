#include "eval/video_recipe.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "formats/error.h"

namespace swinzoo::eval {
namespace {

constexpr std::array<VideoRecipe, 2> kRecipes = {{
    {"kinetics", 4, 2, 3},
    {"ssv2", 1, 0, 3},
}};

// numpy.round: halves to the even neighbour.
int64_t rounded(double value) { return static_cast<int64_t>(std::nearbyint(value)); }

}  // namespace

std::span<const VideoRecipe> video_recipes() { return kRecipes; }

const VideoRecipe& find_video_recipe(std::string_view name) {
  for (const VideoRecipe& recipe : kRecipes) {
    if (recipe.name == name) return recipe;
  }
  fail(ErrorCode::kUsage, "no recipe '{}'; there are kinetics and ssv2", name);
}

const VideoRecipe& default_video_recipe(const zoo::ModelSpec& spec) {
  const bool is_ssv2 =
      spec.dataset.empty() ? spec.num_classes == 174 : spec.dataset.ends_with("something-something-v2");
  return find_video_recipe(is_ssv2 ? "ssv2" : "kinetics");
}

std::vector<std::vector<int64_t>> frame_indices(const VideoRecipe& recipe, int64_t frames, int64_t total) {
  assert(frames > 0 && total > 0);
  std::vector<std::vector<int64_t>> clips(static_cast<size_t>(recipe.clips));
  const int64_t span = frames * recipe.interval;
  const double step = static_cast<double>(total - span + 1) / static_cast<double>(recipe.clips);
  const double share = static_cast<double>(total - 1) / static_cast<double>(frames);
  for (int64_t clip = 0; clip < recipe.clips; ++clip) {
    const int64_t start =
        total >= span ? static_cast<int64_t>(static_cast<double>(clip) * step + step / 2) : 0;
    for (int64_t i = 0; i < frames; ++i) {
      const auto place = static_cast<double>(i);
      clips[static_cast<size_t>(clip)].push_back(
          recipe.interval > 0 ? (start + i * recipe.interval) % total
                              : (rounded(share * place) + rounded(share * (place + 1))) / 2);
    }
  }
  return clips;
}

FrameSize resized_frame(const FrameSize& frame, int64_t side) {
  const double scale = static_cast<double>(side) / static_cast<double>(std::min(frame.width, frame.height));
  const auto resized = [&](int64_t extent) {
    return static_cast<int64_t>(static_cast<double>(extent) * scale + 0.5);
  };
  return {resized(frame.width), resized(frame.height)};
}

std::vector<Window> three_crops(const FrameSize& resized, int64_t side) {
  const bool is_wide = resized.height == side;
  const int64_t step = ((is_wide ? resized.width : resized.height) - side) / 2;
  std::vector<Window> crops;
  for (const int64_t offset : {int64_t{0}, 2 * step, step}) {
    crops.push_back({is_wide ? offset : 0, is_wide ? 0 : offset, side, side});
  }
  return crops;
}

std::vector<float> mean_row(std::span<const float> values, int64_t rows) {
  const size_t width = values.size() / static_cast<size_t>(rows);
  assert(width > 0 && values.size() == width * static_cast<size_t>(rows));
  std::vector<float> means;
  for (size_t i = 0; i < width; ++i) {
    double sum = 0;
    for (size_t at = i; at < values.size(); at += width) sum += values[at];
    means.push_back(static_cast<float>(sum / static_cast<double>(rows)));
  }
  return means;
}

std::vector<float> mean_probabilities(std::span<const float> logits, int64_t views) {
  const size_t classes = logits.size() / static_cast<size_t>(views);
  assert(classes > 0 && logits.size() == classes * static_cast<size_t>(views));
  std::vector<double> sums(classes);
  std::vector<double> powers(classes);
  for (size_t start = 0; start < logits.size(); start += classes) {
    const std::span<const float> view = logits.subspan(start, classes);
    const double largest = *std::max_element(view.begin(), view.end());
    double sum = 0;
    for (size_t i = 0; i < classes; ++i) sum += powers[i] = std::exp(view[i] - largest);
    for (size_t i = 0; i < classes; ++i) sums[i] += powers[i] / sum;
  }
  std::vector<float> means;
  for (const double sum : sums) means.push_back(static_cast<float>(sum / static_cast<double>(views)));
  return means;
}

}  // namespace swinzoo::eval
