#include "eval/picture.h"

#include <png.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>

#include "eval/resample.h"
#include "formats/atomic_file.h"
#include "formats/error.h"

namespace swinzoo::eval {
namespace {

// Turbo, as a polynomial: Anton Mikhailov, "Turbo, An Improved Rainbow Colormap for Visualization" (2019), Apache 2.0;
// x is 0 to 1.
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

// What the values at two shares of their order are mapped to 0 and 1 by.
struct Scale {
  double least;
  double most;

  double operator()(double x) const { return most > least ? (x - least) / (most - least) : 0.5; }
};

Scale scale_between(std::vector<double> values, double low_share, double high_share) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
  };
  return {at(low_share), at(high_share)};
}

}  // namespace

Image heat_over(const Image& image, const TokenMap& map) {
  const Scale scale = scale_between({map.values.begin(), map.values.end()}, 0, 1);
  Image levels{map.width, map.height, {}};  // gray, so that they can be enlarged as an image is
  for (const float value : map.values) levels.rgb.insert(levels.rgb.end(), 3, to_byte(scale(value)));
  levels = resize(levels, image.width, image.height, zoo::Interpolation::kBicubic);
  Image result{image.width, image.height, {}};
  for (size_t i = 0; i < image.rgb.size(); i += 3) {
    // Rec. 601, as Pillow's "L".
    const double gray = (0.299 * image.rgb[i] + 0.587 * image.rgb[i + 1] + 0.114 * image.rgb[i + 2]) / 255;
    const std::array<double, 3> color = turbo(levels.rgb[i] / 255.0);
    for (const double c : color) result.rgb.push_back(to_byte(0.5 * gray + 0.5 * c));
  }
  return result;
}

Image principal_components(std::span<const float> features, int64_t height, int64_t width, int64_t channels) {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const int64_t tokens = height * width;
  Matrix x = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
                 features.data(), tokens, channels)
                 .cast<double>();
  x.rowwise() -= x.colwise().mean();
  // Through the smaller of x x^T and x^T x; both have the same eigenvalues.
  const bool by_tokens = tokens < channels;
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(by_tokens ? Matrix(x * x.transpose())
                                                               : Matrix(x.transpose() * x));
  Image image{width, height, std::vector<uint8_t>(static_cast<size_t>(3 * tokens), 127)};
  for (int64_t c = 0; c < std::min<int64_t>(3, solver.eigenvectors().cols()); ++c) {
    Eigen::VectorXd axis = solver.eigenvectors().col(solver.eigenvectors().cols() - 1 - c);
    if (by_tokens) axis = x.transpose() * axis;
    int64_t largest = 0;
    axis.cwiseAbs().maxCoeff(&largest);
    if (axis[largest] < 0) axis = -axis;
    const Eigen::VectorXd component = x * axis;
    const Scale scale = scale_between({component.begin(), component.end()}, 0.01, 0.99);
    for (int64_t token = 0; token < tokens; ++token) {
      image.rgb[static_cast<size_t>(3 * token + c)] = to_byte(scale(component[token]));
    }
  }
  return image;
}

void write_png(const std::filesystem::path& path, const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  std::string bytes;
  const auto encode = [&](void* to) {
    if (png_image_write_to_memory(&header, to, &size, 0, image.rgb.data(), 0, nullptr) == 0) {
      fail(ErrorCode::kFailed, "{}: libpng can't write it: {}", path.string(), header.message);
    }
  };
  encode(nullptr);  // how many bytes
  bytes.resize(size);
  encode(bytes.data());
  bytes.resize(size);
  write_file(path, bytes);
}

}  // namespace swinzoo::eval
