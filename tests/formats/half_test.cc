#include "formats/half.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "formats/tensor.h"

using namespace swinzoo;

namespace {

// Every finite value that the 16 bits can hold, widened by the reader of such files.
std::vector<float> all_values(DType dtype) {
  Tensor bits(dtype, {65536});
  auto* to = reinterpret_cast<uint16_t*>(bits.bytes().data());
  for (uint32_t i = 0; i < 65536; ++i) to[i] = static_cast<uint16_t>(i);
  const Tensor wide = to_f32(bits.view());
  std::vector<float> values;
  for (const float value : wide.as<float>()) {
    if (std::isfinite(value)) values.push_back(value);
  }
  return values;
}

void check_rounding(DType dtype, float (*round)(float)) {
  std::vector<float> values = all_values(dtype);
  for (const float value : values) {
    REQUIRE(std::bit_cast<uint32_t>(round(value)) == std::bit_cast<uint32_t>(value));
  }
  std::ranges::sort(values);
  for (size_t i = 0; i + 1 < values.size(); ++i) {
    const float low = values[i], high = values[i + 1];
    const double gap = double{high} - double{low};
    REQUIRE(round(static_cast<float>(low + 0.375 * gap)) == low);
    REQUIRE(round(static_cast<float>(low + 0.625 * gap)) == high);
  }
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(round(infinity) == infinity);
  CHECK(round(-infinity) == -infinity);
  CHECK(round(std::numeric_limits<float>::max()) == infinity);
  CHECK(round(std::numeric_limits<float>::lowest()) == -infinity);
  CHECK(std::isnan(round(std::numeric_limits<float>::quiet_NaN())));
  CHECK(std::isnan(round(std::bit_cast<float>(0x7f800001u))));
}

}  // namespace

TEST_CASE("rounding to F16 keeps what F16 holds and takes the nearest of the rest") {
  check_rounding(DType::kF16, &rounded_to_f16);
  CHECK(rounded_to_f16(65519.0f) == 65504.0f);
  CHECK(std::isinf(rounded_to_f16(65520.0f)));
  CHECK(rounded_to_f16(0x1p-25f) == 0.0f);  // a tie with zero, which is even
  CHECK(std::signbit(rounded_to_f16(-0x1p-26f)));
  CHECK(rounded_to_f16(1.0f + 0x1p-11f) == 1.0f);
  CHECK(rounded_to_f16(1.0f + 0x3p-11f) == 1.0f + 0x1p-9f);
}

TEST_CASE("rounding to BF16 keeps what BF16 holds and takes the nearest of the rest") {
  check_rounding(DType::kBF16, &rounded_to_bf16);
  CHECK(rounded_to_bf16(1.0f + 0x1p-8f) == 1.0f);
  CHECK(rounded_to_bf16(1.0f + 0x3p-8f) == 1.0f + 0x1p-6f);
}
