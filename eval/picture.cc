#include "eval/picture.h"

#include <png.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <string_view>

#include "eval/resample.h"
#include "formats/atomic_file.h"
#include "formats/error.h"

namespace swinzoo::eval {
namespace {

// Turbo, as a polynomial: Anton Mikhailov, "Turbo, An Improved Rainbow Colormap for Visualization" (2019),
// Apache 2.0; x is 0 to 1.
std::array<double, 3> turbo(double x) {
  constexpr std::array<std::array<double, 6>, 3> kCoefficients = {{
      {0.13572138, 4.61539260, -42.66032258, 132.13108234, -152.94239396, 59.28637943},
      {0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604},
      {0.10667330, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973},
  }};
  std::array<double, 3> color{};
  for (size_t c = 0; c < 3; ++c) {
    double power = 1;
    for (const double coefficient : kCoefficients[c]) {
      color[c] += coefficient * power;
      power *= x;
    }
  }
  return color;
}

uint8_t to_byte(double x) { return static_cast<uint8_t>(std::lround(std::clamp(x, 0.0, 1.0) * 255)); }

// Values as shares of the way from their 1st to their 99th percentile, so that a few outliers do not take all
// contrast.
class Scale {
 public:
  explicit Scale(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto last = static_cast<double>(values.size() - 1);
    least_ = values[static_cast<size_t>(0.01 * last)];
    most_ = values[static_cast<size_t>(0.99 * last)];
    if (least_ < most_) return;
    least_ = values.front();  // all but a few are the same
    most_ = values.back();
  }

  double operator()(double x) const { return most_ > least_ ? (x - least_) / (most_ - least_) : 0.5; }

 private:
  double least_;
  double most_;
};

void require_finite(std::span<const float> values, std::string_view what) {
  if (std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); })) return;
  fail(ErrorCode::kFailed, "the model's {} are not all finite: there is nothing to draw", what);
}

}  // namespace

Image enlarged(const Image& image, int64_t side) {
  const int64_t shorter = std::min(image.width, image.height);
  const int64_t times = std::max<int64_t>(1, (side + shorter - 1) / shorter);
  return resize(image, image.width * times, image.height * times, zoo::Interpolation::kBicubic);
}

Image spread_tokens(const Image& tokens, int64_t side, int64_t width, int64_t height) {
  return resize_window(tokens, tokens.width * side, tokens.height * side, {0, 0, width, height},
                       zoo::Interpolation::kBicubic);
}

Image heat_over(const Image& image, const TokenMap& map, int64_t patch) {
  require_finite(map.values, "attention");
  const Scale scale({map.values.begin(), map.values.end()});
  Image levels{map.width, map.height, {}};  // gray, so that they are spread as an image is
  for (const float value : map.values) levels.rgb.insert(levels.rgb.end(), 3, to_byte(scale(value)));
  levels = spread_tokens(levels, patch * map.patches, image.width, image.height);
  Image result{image.width, image.height, {}};
  for (size_t i = 0; i < image.rgb.size(); i += 3) {
    // Rec. 601, as Pillow's "L".
    const double gray = (0.299 * image.rgb[i] + 0.587 * image.rgb[i + 1] + 0.114 * image.rgb[i + 2]) / 255;
    const std::array<double, 3> color = turbo(levels.rgb[i] / 255.0);
    for (const double c : color) result.rgb.push_back(to_byte(0.4 * gray + 0.6 * c));
  }
  return result;
}

Image principal_components(std::span<const float> features, int64_t height, int64_t width, int64_t channels) {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  require_finite(features, "features");
  const int64_t tokens = height * width;
  Matrix x = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
                 features.data(), tokens, channels)
                 .cast<double>();
  x.rowwise() -= x.colwise().mean();
  // Through the smaller of x x^T and x^T x; both have the same eigenvalues, in rising order.
  const bool by_tokens = tokens < channels;
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(by_tokens ? Matrix(x * x.transpose())
                                                               : Matrix(x.transpose() * x));
  Image image{width, height, std::vector<uint8_t>(static_cast<size_t>(3 * tokens), 127)};
  const int64_t count = solver.eigenvalues().size();
  for (int64_t c = 0; c < std::min<int64_t>(3, count); ++c) {
    constexpr double kNoise = 1e-10;  // of the largest: float32 features, squared
    if (solver.eigenvalues()[count - 1 - c] <= kNoise * solver.eigenvalues()[count - 1]) break;
    Eigen::VectorXd axis = solver.eigenvectors().col(count - 1 - c);
    if (by_tokens) axis = x.transpose() * axis;
    int64_t largest = 0;
    axis.cwiseAbs().maxCoeff(&largest);
    if (axis[largest] < 0) axis = -axis;
    const Eigen::VectorXd component = x * axis;
    const Scale scale({component.begin(), component.end()});
    for (int64_t token = 0; token < tokens; ++token) {
      image.rgb[static_cast<size_t>(3 * token + c)] = to_byte(scale(component[token]));
    }
  }
  return image;
}

Image side_by_side(const Image& left, const Image& right) {
  assert(left.height == right.height);
  constexpr int64_t kGap = 16;
  Image result{left.width + kGap + right.width, left.height, {}};
  for (int64_t y = 0; y < left.height; ++y) {
    const auto append = [&](const Image& part) {
      const auto row = part.rgb.begin() + 3 * part.width * y;
      result.rgb.insert(result.rgb.end(), row, row + 3 * part.width);
    };
    append(left);
    result.rgb.insert(result.rgb.end(), 3 * kGap, 255);
    append(right);
  }
  return result;
}

void write_png(const std::filesystem::path& path, const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, image.rgb.data(), 0, nullptr) == 0) {
    fail(ErrorCode::kFailed, "{}: libpng can't write it: {}", path.string(), header.message);
  }
  bytes.resize(size);
  write_file(path, bytes);
}

}  // namespace swinzoo::eval
