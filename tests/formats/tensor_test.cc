#include "formats/tensor.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>

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
