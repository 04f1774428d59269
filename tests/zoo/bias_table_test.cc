#include "zoo/bias_table.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

// Of a window of 3: 5 x 5 offsets, 2 heads.
Tensor made_table() {
  Tensor table(DType::kF32, {25, 2});
  auto to = table.as<float>().begin();
  for (int i = 0; i < 25; ++i) {
    *to++ = static_cast<float>(i * 7 % 11);
    *to++ = static_cast<float>(i * 5 % 13 - 6);
  }
  return table;
}

}  // namespace

TEST_CASE("a table is resized to another window as timm resizes it") {
  // timm 1.0.31's resize_rel_pos_bias_table of the same table.
  const std::vector<float> window_2 = {9, -2, 5, 3, 1, -5, 0, -3, 7, 2, 3, -6, 2, -4, 9, 1, 5, 6};
  const std::vector<float> window_5 = {0,  -6, 0,         -6,         2.33333f, -4.333335f, 7, -1, 3, 4,
                                       10, -4, 7.333332f, -0.666665f, 6,        1,          6, 1,  0, -6};
  const Tensor smaller = resized_bias_table(made_table().view(), 2);
  CHECK(smaller.shape() == Shape{9, 2});
  for (size_t i = 0; i < window_2.size(); ++i)
    CHECK(smaller.as<float>()[i] == Approx(window_2[i]).margin(1e-5));
  const Tensor larger = resized_bias_table(made_table().view(), 5);
  CHECK(larger.shape() == Shape{81, 2});
  for (size_t i = 0; i < window_5.size(); ++i)
    CHECK(larger.as<float>()[i] == Approx(window_5[i]).margin(2e-5));
  double sum = 0, weighted = 0;
  for (size_t i = 0; i < 162; ++i) {
    sum += larger.as<float>()[i];
    weighted += static_cast<double>(i) * larger.as<float>()[i];
  }
  CHECK(sum == Approx(369).margin(1e-3));
  CHECK(weighted == Approx(31961.779296875).margin(0.1));
}

TEST_CASE("a table of one offset holds for all offsets") {
  Tensor one(DType::kF32, {1, 3});
  for (size_t head = 0; head < 3; ++head) one.as<float>()[head] = static_cast<float>(head) + 0.5f;
  const Tensor spread = resized_bias_table(one.view(), 2);
  for (size_t i = 0; i < 27; ++i) CHECK(spread.as<float>()[i] == static_cast<float>(i % 3) + 0.5f);
}
