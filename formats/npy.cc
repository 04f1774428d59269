#include "formats/npy.h"

#include <charconv>
#include <cstring>
#include <string_view>

#include "formats/error.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr uint64_t kLargestHeader = 65'536;

// The header is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
struct Header {
  DType dtype;
  Shape shape;
};

[[noreturn]] void fail_header() { fail(ErrorCode::kCorrupt, "damaged .npy header"); }

// What stands behind a key and its colon.
std::string_view value_of(std::string_view text, std::string_view key) {
  constexpr size_t kNone = std::string_view::npos;
  const size_t at = text.find(key);
  if (at == kNone) fail_header();
  const size_t colon = text.find_first_not_of(' ', at + key.size());
  if (colon == kNone || text[colon] != ':') fail_header();
  const size_t value = text.find_first_not_of(' ', colon + 1);
  if (value == kNone) fail_header();
  return text.substr(value);
}

// What stands between the two characters, the first of which `text` starts with.
std::string_view enclosed(std::string_view text, char open, char close) {
  const size_t end = text.find(close, 1);
  if (text[0] != open || end == std::string_view::npos) fail_header();
  return text.substr(1, end - 1);
}

Shape parse_shape(std::string_view text) {
  Shape shape;
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    const auto [next, error] = std::from_chars(at, end, shape.emplace_back());
    if (error != std::errc()) fail_header();
    at = next;
  }
  return shape;
}

Header parse_header(std::string_view text) {
  const std::string_view descr = enclosed(value_of(text, "'descr'"), '\'', '\'');
  const std::string_view order = value_of(text, "'fortran_order'");
  Header header;
  header.shape = parse_shape(enclosed(value_of(text, "'shape'"), '(', ')'));
  if (descr == "<f4") {
    header.dtype = DType::kF32;
  } else if (descr == "<f8") {
    header.dtype = DType::kF64;
  } else {
    fail(ErrorCode::kUnsupported, "holds '{:.20}'; float32 ('<f4') or float64 is needed", descr);
  }
  if (order.starts_with("True")) fail(ErrorCode::kUnsupported, "is in Fortran order; C order is needed");
  if (!order.starts_with("False")) fail_header();
  return header;
}

Tensor parse_npy(std::span<const std::byte> bytes) {
  const auto start = checked_range(bytes, 0, kMagic.size() + 2, "the magic");
  if (std::memcmp(start.data(), kMagic.data(), kMagic.size()) != 0) {
    fail(ErrorCode::kCorrupt, "is no .npy file");
  }
  const auto version = std::to_integer<int>(start[kMagic.size()]);
  if (version < 1 || version > 3) fail(ErrorCode::kUnsupported, "version {} is not known", version);
  const uint64_t length_bytes = version == 1 ? 2 : 4;
  uint64_t length = 0;
  std::memcpy(&length, checked_range(bytes, start.size(), length_bytes, "the header's length").data(),
              length_bytes);
  if (length > kLargestHeader) fail(ErrorCode::kCorrupt, "the header claims {} bytes", length);
  const auto text = checked_range(bytes, start.size() + length_bytes, length, "the header");
  const Header header = parse_header({reinterpret_cast<const char*>(text.data()), text.size()});
  const auto data = bytes.subspan(start.size() + length_bytes + length);
  uint64_t needed = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(element_count(header.shape)), size_of(header.dtype),
                             &needed) ||
      needed != data.size()) {
    fail(ErrorCode::kCorrupt, "shape {} does not fill {} bytes", to_string(header.shape), data.size());
  }
  Tensor stored(header.dtype, header.shape);
  std::memcpy(stored.bytes().data(), data.data(), data.size());
  return to_f32(stored.view());
}

}  // namespace

Tensor read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  try {
    return parse_npy(file.bytes());
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", path.string(), error.what());
  }
}

}  // namespace swinzoo
