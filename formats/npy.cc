#include "formats/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "formats/error.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct DescrRow {
  std::string_view descr;
  DType dtype;
};

constexpr std::array<DescrRow, 9> kDescrs = {{{"<f4", DType::kF32},
                                              {"<f8", DType::kF64},
                                              {"<f2", DType::kF16},
                                              {"<i8", DType::kI64},
                                              {"<i4", DType::kI32},
                                              {"<i2", DType::kI16},
                                              {"|i1", DType::kI8},
                                              {"|u1", DType::kU8},
                                              {"|b1", DType::kBool}}};

// What follows `key` and its colon in the literal.
std::string_view value_of(std::string_view literal, std::string_view key) {
  const size_t at = literal.find(key);
  if (at == std::string_view::npos) fail(ErrorCode::kCorrupt, "damaged .npy header: no {}", key);
  literal.remove_prefix(at + key.size());
  literal.remove_prefix(std::min(literal.find_first_not_of(": "), literal.size()));
  return literal;
}

// What stands between the first character, which must be `open`, and the next `close`.
std::string_view between(std::string_view text, char open, char close) {
  const size_t end = text.find(close, 1);
  if (text.empty() || text.front() != open || end == std::string_view::npos) {
    fail(ErrorCode::kCorrupt, "damaged .npy header: no {}...{}", open, close);
  }
  return text.substr(1, end - 1);
}

DType parse_descr(std::string_view value) {
  if (value.starts_with('[')) fail(ErrorCode::kUnsupported, "holds an array of records");
  const std::string_view descr = between(value, '\'', '\'');
  const auto row = std::find_if(kDescrs.begin(), kDescrs.end(),
                                [&](const DescrRow& known) { return known.descr == descr; });
  if (row == kDescrs.end()) {
    fail(ErrorCode::kUnsupported, "holds '{:.20}', which is no little-endian number of a dtype read here",
         descr);
  }
  return row->dtype;
}

Shape parse_shape(std::string_view value) {
  std::string_view extents = between(value, '(', ')');
  Shape shape;
  while (true) {
    extents.remove_prefix(std::min(extents.find_first_not_of(", "), extents.size()));
    if (extents.empty()) return shape;
    int64_t extent = 0;
    const auto [next, error] = std::from_chars(extents.data(), extents.data() + extents.size(), extent);
    if (error != std::errc{}) fail(ErrorCode::kCorrupt, "damaged .npy shape");
    shape.push_back(extent);
    extents.remove_prefix(static_cast<size_t>(next - extents.data()));
  }
}

NpyHeader parse_header(std::span<const std::byte> start, uint64_t file_size) {
  const auto magic = checked_range(start, 0, kMagic.size() + 2, "the .npy header");
  if (std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0) {
    fail(ErrorCode::kCorrupt, "is no .npy file");
  }
  const auto version = std::to_integer<int>(magic[kMagic.size()]);
  if (version < 1 || version > 3) fail(ErrorCode::kUnsupported, ".npy version {} is not known", version);
  const uint64_t length_bytes = version == 1 ? 2 : 4;
  uint64_t length = 0;
  std::memcpy(&length, checked_range(start, magic.size(), length_bytes, "the .npy header").data(),
              length_bytes);
  if (length > kLongestNpyHeader) fail(ErrorCode::kCorrupt, "the header claims {} bytes", length);
  const auto text = checked_range(start, magic.size() + length_bytes, length, "the .npy header");
  const std::string_view literal(reinterpret_cast<const char*>(text.data()), text.size());

  NpyHeader header;
  header.dtype = parse_descr(value_of(literal, "'descr'"));
  header.shape = parse_shape(value_of(literal, "'shape'"));
  const std::string_view order = value_of(literal, "'fortran_order'");
  header.fortran_order = order.starts_with("True");
  if (!header.fortran_order && !order.starts_with("False")) {
    fail(ErrorCode::kCorrupt, "damaged .npy header: fortran_order is neither True nor False");
  }
  header.data = magic.size() + length_bytes + length;
  uint64_t needed = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(element_count(header.shape)), size_of(header.dtype),
                             &needed) ||
      needed != file_size - header.data) {
    fail(ErrorCode::kCorrupt, "shape {} does not fill {} bytes", to_string(header.shape),
         file_size - header.data);
  }
  return header;
}

}  // namespace

NpyHeader parse_npy_header(std::span<const std::byte> start, uint64_t file_size, const std::string& where) {
  try {
    return parse_header(start, file_size);
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", where, error.what());
  }
}

Tensor read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string where = path.string();
  const auto bytes = file.bytes();
  const NpyHeader header =
      parse_npy_header(bytes.first(std::min<uint64_t>(bytes.size(), kLongestNpyHeader)), bytes.size(), where);
  if (header.dtype != DType::kF32 && header.dtype != DType::kF64) {
    fail(ErrorCode::kUnsupported, "{}: holds {}; float32 ('<f4') or float64 is needed", where,
         name_of(header.dtype));
  }
  if (header.fortran_order) {
    fail(ErrorCode::kUnsupported, "{}: is in Fortran order; C order is needed", where);
  }
  Tensor copy;
  return to_f32(aligned({header.dtype, header.shape, bytes.subspan(header.data)}, copy));
}

}  // namespace swinzoo
