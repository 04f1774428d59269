// Tensors: TensorView looks at one, Tensor owns one. Both are dense, row-major and little-endian.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace swinzoo {

static_assert(std::endian::native == std::endian::little,
              "the file formats are read in place: little-endian only");

enum class DType : uint8_t { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

// Bytes an element.
size_t size_of(DType dtype);

// The dtype's name as safetensors writes it: "F32", "BF16", "BOOL" ...; and back (empty if it is no such
// name).
std::string_view name_of(DType dtype);
std::optional<DType> dtype_from_name(std::string_view name);

// Extents, outermost first; empty for a scalar. No extent is negative.
using Shape = std::vector<int64_t>;

// The number of elements: the product of the extents (1 for a scalar). Throws kCorrupt if an extent is
// negative or the product overflows int64_t.
int64_t element_count(const Shape& shape);

// "[2, 3]"
std::string to_string(const Shape& shape);

// The dtype that holds a C++ type.
template <typename T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, double>) return DType::kF64;
  if constexpr (std::is_same_v<T, float>) return DType::kF32;
  if constexpr (std::is_same_v<T, int64_t>) return DType::kI64;
  if constexpr (std::is_same_v<T, int32_t>) return DType::kI32;
  if constexpr (std::is_same_v<T, int8_t>) return DType::kI8;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::kU8;
}

[[noreturn]] void fail_dtype(DType expected, DType found);

// A tensor somewhere else: never owns. Valid as long as what it looks into; copying it copies no elements.
struct TensorView {
  DType dtype = DType::kF32;
  Shape shape;
  std::span<const std::byte> bytes;  // element_count(shape) * size_of(dtype), aligned for dtype

  int64_t size() const { return element_count(shape); }

  // The elements as T. Throws kUnsupported if dtype is another one.
  template <typename T>
  std::span<const T> as() const {
    if (dtype_of<T>() != dtype) fail_dtype(dtype_of<T>(), dtype);
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

// A tensor that owns its elements: 64-byte aligned, move-only. Elements are not initialised.
class Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, Shape shape);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t size() const { return element_count(shape_); }

  TensorView view() const { return {dtype_, shape_, bytes()}; }
  std::span<const std::byte> bytes() const { return {data_.get(), byte_count_}; }
  std::span<std::byte> bytes() { return {data_.get(), byte_count_}; }

  // The elements as T. Throws kUnsupported if the dtype is another one.
  template <typename T>
  std::span<T> as() {
    if (dtype_of<T>() != dtype_) fail_dtype(dtype_of<T>(), dtype_);
    return {reinterpret_cast<T*>(data_.get()), byte_count_ / sizeof(T)};
  }
  template <typename T>
  std::span<const T> as() const {
    return view().as<T>();
  }

  // The same elements under another shape. REQUIRES: the element counts are equal.
  void reshape(Shape shape);

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  DType dtype_ = DType::kF32;
  Shape shape_;
  size_t byte_count_ = 0;
  std::unique_ptr<std::byte[], Free> data_;
};

// Copies a tensor; as float32, converting where it is another floating-point dtype (exact but for F64, which
// rounds to nearest). Throws kUnsupported for integers.
Tensor copy_of(const TensorView& view);
Tensor to_f32(const TensorView& view);

// float32 as F16 or BF16, rounded to nearest, ties to even, as IEEE 754 and PyTorch do; as F32, a copy. NaN
// stays NaN. `overflowed`: a finite element became infinite. REQUIRES: the view is F32, and the dtype one of
// these.
struct Rounded {
  Tensor tensor;
  bool overflowed = false;
};
Rounded rounded_to(DType dtype, const TensorView& view);

// The view itself where its bytes are aligned for its dtype, else a copy of it in `scratch`, which is
// replaced.
TensorView aligned(const TensorView& view, Tensor& scratch);

// Gathers a tensor whose neighbours along each axis lie strides[axis] elements apart. REQUIRES: shape and
// strides are as long, no stride is negative, and every element lies in `bytes`, the first at its start.
Tensor gathered(DType dtype, const Shape& shape, const std::vector<int64_t>& strides,
                std::span<const std::byte> bytes);

// Rows first to first + to.size() / columns of the transpose of a dense float32 matrix, whose rows are
// `columns` of the transpose. REQUIRES: the view is F32 and has two axes; `to` holds whole rows, all of them
// there.
void transpose_rows(const TensorView& view, int64_t first, std::span<float> to);

// The strides of a dense tensor: row-major (C), and column-major (Fortran); all 1 where it is empty.
std::vector<int64_t> row_major_strides(const Shape& shape);
std::vector<int64_t> column_major_strides(const Shape& shape);

}  // namespace swinzoo
