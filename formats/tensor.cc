#include "formats/tensor.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <new>

#include "formats/error.h"

namespace swinzoo {
namespace {

struct DTypeRow {
  DType dtype;
  std::string_view name;
  size_t size;
};

constexpr std::array<DTypeRow, 10> kDTypes = {{
    {DType::kF64, "F64", 8},
    {DType::kF32, "F32", 4},
    {DType::kF16, "F16", 2},
    {DType::kBF16, "BF16", 2},
    {DType::kI64, "I64", 8},
    {DType::kI32, "I32", 4},
    {DType::kI16, "I16", 2},
    {DType::kI8, "I8", 1},
    {DType::kU8, "U8", 1},
    {DType::kBool, "BOOL", 1},
}};

const DTypeRow& row_of(DType dtype) {
  return *std::find_if(kDTypes.begin(), kDTypes.end(),
                       [&](const DTypeRow& row) { return row.dtype == dtype; });
}

float f16_to_f32(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu;
  const uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 31 ? 0xffu : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

float bf16_to_f32(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

template <typename From, typename Convert>
void convert_elements(std::span<const std::byte> from, std::span<float> to, Convert convert) {
  for (size_t i = 0; i < to.size(); ++i) {
    From element;
    std::memcpy(&element, from.data() + i * sizeof(From), sizeof(From));
    to[i] = convert(element);
  }
}

}  // namespace

size_t size_of(DType dtype) { return row_of(dtype).size; }

std::string_view name_of(DType dtype) { return row_of(dtype).name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DTypeRow& row : kDTypes) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

int64_t element_count(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count)) {
      fail(ErrorCode::kCorrupt, "shape {} has an impossible number of elements", to_string(shape));
    }
  }
  return count;
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

void fail_dtype(DType expected, DType found) {
  fail(ErrorCode::kUnsupported, "a tensor of {} was found where {} is expected", name_of(found),
       name_of(expected));
}

void Tensor::Free::operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{64}); }

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  const auto count = static_cast<size_t>(element_count(shape_));
  if (__builtin_mul_overflow(count, size_of(dtype), &byte_count_)) {
    fail(ErrorCode::kCorrupt, "a tensor of shape {} does not fit in memory", to_string(shape_));
  }
  data_.reset(static_cast<std::byte*>(::operator new[](byte_count_, std::align_val_t{64})));
}

void Tensor::reshape(Shape shape) {
  assert(element_count(shape) == size());
  shape_ = std::move(shape);
}

Tensor copy_of(const TensorView& view) {
  Tensor copy(view.dtype, view.shape);
  std::copy(view.bytes.begin(), view.bytes.end(), copy.bytes().begin());
  return copy;
}

Tensor to_f32(const TensorView& view) {
  if (view.dtype == DType::kF32) return copy_of(view);
  Tensor out(DType::kF32, view.shape);
  const std::span<float> to = out.as<float>();
  switch (view.dtype) {
    case DType::kF64:
      convert_elements<double>(view.bytes, to, [](double x) { return static_cast<float>(x); });
      break;
    case DType::kF16:
      convert_elements<uint16_t>(view.bytes, to, f16_to_f32);
      break;
    case DType::kBF16:
      convert_elements<uint16_t>(view.bytes, to, bf16_to_f32);
      break;
    default:
      fail_dtype(DType::kF32, view.dtype);
  }
  return out;
}

TensorView aligned(const TensorView& view, Tensor& scratch) {
  if (reinterpret_cast<uintptr_t>(view.bytes.data()) % size_of(view.dtype) == 0) return view;
  scratch = copy_of(view);
  return scratch.view();
}

Tensor gathered(DType dtype, const Shape& shape, const std::vector<int64_t>& strides,
                std::span<const std::byte> bytes) {
  assert(shape.size() == strides.size());
  Tensor out(dtype, shape);
  const size_t element = size_of(dtype), rank = shape.size();
  const size_t bytes_out = out.bytes().size();
  std::vector<int64_t> index(rank, 0);
  int64_t from = 0;  // index's element in `bytes`
  for (size_t to = 0; to < bytes_out; to += element) {
    std::memcpy(out.bytes().data() + to, bytes.data() + static_cast<size_t>(from) * element, element);
    for (size_t axis = rank; axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

std::vector<int64_t> row_major_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  if (element_count(shape) == 0) return strides;
  for (size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

std::vector<int64_t> column_major_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  if (element_count(shape) == 0) return strides;
  for (size_t axis = 1; axis < shape.size(); ++axis) strides[axis] = strides[axis - 1] * shape[axis - 1];
  return strides;
}

}  // namespace swinzoo
