#include "zoo/output_check.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <random>

namespace swinzoo::zoo {
namespace {

constexpr uint32_t kSeed = 20211;

// Normal values by Box and Muller, as std::normal_distribution's depend on the library.
Tensor normal_values(const Shape& shape) {
  std::mt19937 random(kSeed);
  const auto uniform = [&] { return (static_cast<double>(random()) + 0.5) / 0x1p32; };
  Tensor x(DType::kF32, shape);
  for (float& value : x.as<float>()) {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    value = static_cast<float>(radius * std::cos(2 * std::numbers::pi * uniform()));
  }
  return x;
}

}  // namespace

NamedTensors seeded_outputs(const Model& model) {
  const backends::Plan& plan = model.executable().plan();
  std::vector<std::string> names;
  for (const backends::Output& output : plan.outputs) {
    if (!output.name.starts_with("attention.")) names.push_back(output.name);
  }
  Shape shape = plan.input;
  shape.insert(shape.begin(), 1);
  return backends::run_outputs(model.executable(), normal_values(shape).view(), names);
}

OutputDifference compare_outputs(const NamedTensors& a, const NamedTensors& b) {
  assert(a.size() == b.size());
  OutputDifference difference;
  for (size_t i = 0; i < a.size(); ++i) {
    assert(a[i].first == b[i].first && a[i].second.shape() == b[i].second.shape());
    if (std::ranges::equal(a[i].second.bytes(), b[i].second.bytes())) continue;
    difference.same_bits = false;
    const auto expected = a[i].second.as<float>(), found = b[i].second.as<float>();
    double largest = 0, error = 0;
    bool lost = false;
    for (size_t k = 0; k < expected.size(); ++k) {
      if (!std::isfinite(expected[k])) continue;
      largest = std::max(largest, std::abs(double{expected[k]}));
      lost |= !std::isfinite(found[k]);
      if (std::isfinite(found[k])) error = std::max(error, std::abs(double{found[k]} - double{expected[k]}));
    }
    if (lost) difference.not_finite.push_back(a[i].first);
    const double relative = error > 0 && largest > 0 ? error / largest : error;
    if (relative > difference.largest || difference.largest_in.empty()) {
      difference.largest = relative;
      difference.largest_in = a[i].first;
    }
  }
  return difference;
}

}  // namespace swinzoo::zoo
