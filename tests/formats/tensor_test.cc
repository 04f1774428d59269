#include "formats/tensor.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "formats/error.h"

using namespace swinzoo;

namespace {

template <typename T>
Tensor tensor_of(DType dtype, const std::vector<T>& values) {
  Tensor tensor(dtype, {static_cast<int64_t>(values.size())});
  std::memcpy(tensor.bytes().data(), values.data(), values.size() * sizeof(T));
  return tensor;
}

}  // namespace

TEST_CASE("dtypes have safetensors' names and sizes") {
  CHECK(name_of(DType::kBF16) == "BF16");
  CHECK(dtype_from_name("F32") == DType::kF32);
  CHECK_FALSE(dtype_from_name("f32").has_value());
  CHECK(size_of(DType::kF64) == 8);
  CHECK(size_of(DType::kBool) == 1);
}

TEST_CASE("element counts: scalars, zeros, overflow") {
  CHECK(element_count({}) == 1);
  CHECK(element_count({3, 0, 5}) == 0);
  CHECK(element_count({2, 3}) == 6);
  CHECK_THROWS_AS(element_count({int64_t{1} << 40, int64_t{1} << 40}), Error);
  CHECK_THROWS_AS(element_count({-1}), Error);
}

TEST_CASE("half precision converts exactly") {
  // IEEE 754 binary16: 1, -2, largest, smallest normal, smallest subnormal, inf, -0.
  const Tensor half =
      tensor_of<uint16_t>(DType::kF16, {0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x7c00, 0x8000, 0x7e00});
  const Tensor wide = to_f32(half.view());
  const auto values = wide.as<float>();
  CHECK(values[0] == 1.0f);
  CHECK(values[1] == -2.0f);
  CHECK(values[2] == 65504.0f);
  CHECK(values[3] == 0x1p-14f);
  CHECK(values[4] == 0x1p-24f);
  CHECK(values[5] == std::numeric_limits<float>::infinity());
  CHECK((values[6] == 0.0f && std::signbit(values[6])));
  CHECK(std::isnan(values[7]));

  const Tensor brain = tensor_of<uint16_t>(DType::kBF16, {0x3f80, 0xc040});
  CHECK(to_f32(brain.view()).as<float>()[0] == 1.0f);
  CHECK(to_f32(brain.view()).as<float>()[1] == -3.0f);
  CHECK(to_f32(tensor_of<double>(DType::kF64, {0.1}).view()).as<float>()[0] == 0.1f);
}

TEST_CASE("tensors are aligned, and typed access is checked") {
  Tensor tensor(DType::kF32, {3, 5});
  CHECK(reinterpret_cast<uintptr_t>(tensor.bytes().data()) % 64 == 0);
  CHECK(tensor.as<float>().size() == 15);
  CHECK_THROWS_AS(tensor.as<double>(), Error);
  CHECK_THROWS_AS(to_f32(tensor_of<int32_t>(DType::kI32, {1}).view()), Error);
}

TEST_CASE("float32 rounds to half precision to the nearest and ties to even") {
  struct Case {
    float value;
    uint16_t f16, bf16;
  };
  const float inf = std::numeric_limits<float>::infinity();
  const Case cases[] = {
      {0.0f, 0, 0},
      {-0.0f, 0x8000, 0x8000},
      {1.0f, 0x3c00, 0x3f80},
      {1.0f + 0x1p-11f, 0x3c00, 0x3f80},             // a tie of F16's: down to even
      {1.0f + 3 * 0x1p-11f, 0x3c02, 0x3f80},         // up to even
      {1.0f + 0x1p-11f + 0x1p-23f, 0x3c01, 0x3f80},  // just above the tie
      {1.0f + 0x1p-8f, 0x3c04, 0x3f80},              // a tie of BF16's
      {1.0f + 3 * 0x1p-8f, 0x3c0c, 0x3f82},
      {65504.0f, 0x7bff, 0x4780},
      {65519.99f, 0x7bff, 0x4780},
      {65520.0f, 0x7c00, 0x4780},  // halfway past the largest: infinite
      {-1e6f, 0xfc00, 0xc974},
      {0x1p-14f, 0x0400, 0x3880},
      {0x1p-14f - 0x1p-25f, 0x0400, 0x3880},  // a tie between the largest subnormal and a normal
      {0x1p-24f, 0x0001, 0x3380},
      {0x1p-25f, 0x0000, 0x3300},  // half the smallest: down to even
      {0x1.8p-24f, 0x0002, 0x33c0},
      {0x1.000002p-25f, 0x0001, 0x3300},
      {-0x1p-30f, 0x8000, 0xb080},
      {std::numeric_limits<float>::denorm_min(), 0, 0},
      {std::numeric_limits<float>::max(), 0x7c00, 0x7f80},
      {inf, 0x7c00, 0x7f80},
      {-inf, 0xfc00, 0xff80},
  };
  for (const Case& c : cases) {
    INFO(c.value);
    const TensorView view = {DType::kF32, {1}, std::as_bytes(std::span(&c.value, 1))};
    for (const DType dtype : {DType::kF16, DType::kBF16}) {
      const Rounded rounded = rounded_to(dtype, view);
      uint16_t bits = 0;
      std::memcpy(&bits, rounded.tensor.bytes().data(), sizeof(bits));
      CHECK(bits == (dtype == DType::kF16 ? c.f16 : c.bf16));
      CHECK(rounded.overflowed ==
            (std::isfinite(c.value) && std::isinf(to_f32(rounded.tensor.view()).as<float>()[0])));
    }
  }
}

TEST_CASE("every half-precision number rounds to itself") {
  std::vector<uint16_t> all(1 << 16);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    const Tensor half = tensor_of(dtype, all), wide = to_f32(half.view());
    const Rounded back = rounded_to(dtype, wide.view());
    CHECK_FALSE(back.overflowed);
    const auto* bits = reinterpret_cast<const uint16_t*>(back.tensor.bytes().data());
    for (size_t i = 0; i < all.size(); ++i) {
      if (std::isnan(wide.as<float>()[i])) {
        const uint16_t quiet = dtype == DType::kF16 ? 0x200 : 0x40;
        REQUIRE(bits[i] == (all[i] | quiet));
      } else {
        REQUIRE(bits[i] == all[i]);
      }
    }
  }
  const Tensor one = tensor_of<float>(DType::kF32, {0.1f});
  CHECK(rounded_to(DType::kF32, one.view()).tensor.as<float>()[0] == 0.1f);
}

TEST_CASE("gathering by strides and transposing rows agree with going one by one") {
  std::mt19937 random(3);
  for (const DType dtype : {DType::kU8, DType::kF16, DType::kF32, DType::kF64}) {
    for (const auto& [rows, columns] : std::vector<std::pair<int64_t, int64_t>>{
             {1, 1}, {1, 40}, {40, 1}, {16, 16}, {64, 32}, {17, 33}, {100, 70}, {0, 5}, {5, 0}}) {
      Tensor from(dtype, {columns, rows});
      for (std::byte& byte : from.bytes()) byte = static_cast<std::byte>(random());
      const Tensor to = gathered(dtype, {rows, columns}, {1, rows}, from.bytes());
      const size_t size = size_of(dtype);
      bool same = to.bytes().size() == from.bytes().size();
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < columns; ++c) {
          same &= std::memcmp(to.bytes().data() + static_cast<size_t>(r * columns + c) * size,
                              from.bytes().data() + static_cast<size_t>(c * rows + r) * size, size) == 0;
        }
      }
      INFO(name_of(dtype) << ' ' << rows << " x " << columns);
      CHECK(same);
      if (dtype != DType::kF32 || rows < 3) continue;
      Tensor part(DType::kF32, {rows - 2, columns});
      transpose_rows(from.view(), 1, part.as<float>());
      CHECK((part.bytes().empty() ||
             std::memcmp(part.bytes().data(), to.bytes().data() + static_cast<size_t>(columns) * size,
                         part.bytes().size()) == 0));
    }
  }
  Tensor cube(DType::kI32, {2, 3, 4});
  for (int32_t i = 0; i < 24; ++i) cube.as<int32_t>()[static_cast<size_t>(i)] = i;
  const Tensor turned = gathered(DType::kI32, {4, 2, 3}, {1, 12, 4}, cube.bytes());
  for (size_t i = 0; i < 24; ++i) {
    CHECK(turned.as<int32_t>()[i] == static_cast<int32_t>(i / 6 + i / 3 % 2 * 12 + i % 3 * 4));
  }
}
