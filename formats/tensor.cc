#include "formats/tensor.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <new>

#include "formats/error.h"
#include "formats/half.h"

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

template <typename Convert>
Rounded round_elements(DType dtype, const TensorView& view, uint16_t infinity, Convert convert) {
  Rounded result{Tensor(dtype, view.shape)};
  auto* to = reinterpret_cast<uint16_t*>(result.tensor.bytes().data());
  for (const float value : view.as<float>()) {
    const uint16_t bits = convert(value);
    result.overflowed |= (bits & 0x7fffu) == infinity && std::isfinite(value);
    *to++ = bits;
  }
  return result;
}

template <typename From, typename Convert>
void convert_elements(std::span<const std::byte> from, std::span<float> to, Convert convert) {
  for (size_t i = 0; i < to.size(); ++i) {
    From element;
    std::memcpy(&element, from.data() + i * sizeof(From), sizeof(From));
    to[i] = convert(element);
  }
}

// The transpose of 4 x 4 elements, by the shuffles of four registers: several times as fast as one by one.
void transpose_4x4(const std::byte* from, int64_t stride, std::byte* to, int64_t columns) {
  using Words = uint32_t __attribute__((vector_size(16)));
  Words a, b, c, d;
  const size_t step = static_cast<size_t>(stride) * sizeof(uint32_t);
  std::memcpy(&a, from, sizeof(a));
  std::memcpy(&b, from + step, sizeof(b));
  std::memcpy(&c, from + 2 * step, sizeof(c));
  std::memcpy(&d, from + 3 * step, sizeof(d));
  const Words ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5),
              ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Words cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5),
              cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const std::array<Words, 4> rows = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                                     __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                                     __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                                     __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
  for (const Words& row : rows) {
    std::memcpy(to, &row, sizeof(row));
    to += static_cast<size_t>(columns) * sizeof(uint32_t);
  }
}

// to[row][column] = from[column * stride + row], in squares of a cache line's width, so that each line that
// is fetched is used up while it is near.
template <typename Word>
void transpose(int64_t rows, int64_t columns, int64_t stride, const std::byte* from, std::byte* to) {
  constexpr int64_t kSide = 64 / sizeof(Word);
  const auto at = [](int64_t index) { return static_cast<size_t>(index) * sizeof(Word); };
  for (int64_t column = 0; column < columns; column += kSide) {
    for (int64_t row = 0; row < rows; row += kSide) {
      const int64_t last_row = std::min(row + kSide, rows), last_column = std::min(column + kSide, columns);
      const bool is_whole = last_row == row + kSide && last_column == column + kSide;
      if (sizeof(Word) == sizeof(uint32_t) && is_whole) {
        for (int64_t r = row; r < last_row; r += 4) {
          for (int64_t c = column; c < last_column; c += 4) {
            transpose_4x4(from + at(c * stride + r), stride, to + at(r * columns + c), columns);
          }
        }
        continue;
      }
      for (int64_t r = row; r < last_row; ++r) {
        for (int64_t c = column; c < last_column; ++c) {
          std::memcpy(to + at(r * columns + c), from + at(c * stride + r), sizeof(Word));
        }
      }
    }
  }
}

template <typename Word>
void gather(const Shape& shape, const std::vector<int64_t>& strides, const std::byte* bytes, std::byte* to) {
  const size_t rank = shape.size();
  if (rank == 2 && strides[0] == 1) return transpose<Word>(shape[0], shape[1], strides[1], bytes, to);
  std::vector<int64_t> index(rank, 0);
  int64_t from = 0;  // index's element in `bytes`
  for (int64_t left = element_count(shape); left > 0; --left) {
    std::memcpy(to, bytes + static_cast<size_t>(from) * sizeof(Word), sizeof(Word));
    to += sizeof(Word);
    for (size_t axis = rank; axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
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

Rounded rounded_to(DType dtype, const TensorView& view) {
  switch (dtype) {
    case DType::kF16:
      return round_elements(dtype, view, 0x7c00u, f32_to_f16);
    case DType::kBF16:
      return round_elements(dtype, view, 0x7f80u, f32_to_bf16);
    default:
      assert(dtype == DType::kF32);
      return {copy_of(view)};
  }
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
  if (out.bytes().empty()) return out;
  switch (size_of(dtype)) {
    case 1:
      gather<uint8_t>(shape, strides, bytes.data(), out.bytes().data());
      break;
    case 2:
      gather<uint16_t>(shape, strides, bytes.data(), out.bytes().data());
      break;
    case 4:
      gather<uint32_t>(shape, strides, bytes.data(), out.bytes().data());
      break;
    default:
      gather<uint64_t>(shape, strides, bytes.data(), out.bytes().data());
  }
  return out;
}

void transpose_rows(const TensorView& view, int64_t first, std::span<float> to) {
  const int64_t columns = view.shape[0], stride = view.shape[1];
  if (to.empty()) return;
  const auto rows = static_cast<int64_t>(to.size()) / columns;
  assert(view.shape.size() == 2 && first >= 0 && first + rows <= stride);
  transpose<uint32_t>(rows, columns, stride,
                      view.bytes.data() + static_cast<size_t>(first) * sizeof(uint32_t),
                      reinterpret_cast<std::byte*>(to.data()));
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
