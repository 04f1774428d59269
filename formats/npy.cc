#include "formats/npy.h"

#include <charconv>
#include <cstring>
#include <regex>

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

Header parse_header(const std::string& text, const std::string& where) {
  static const std::regex kDescr(R"('descr'\s*:\s*'([^']*)')"),
      kOrder(R"('fortran_order'\s*:\s*(True|False))"), kShape(R"('shape'\s*:\s*\(([0-9, ]*)\))");
  std::smatch descr, order, shape;
  if (!std::regex_search(text, descr, kDescr) || !std::regex_search(text, order, kOrder) ||
      !std::regex_search(text, shape, kShape)) {
    fail(ErrorCode::kCorrupt, "{}: damaged .npy header", where);
  }
  Header header;
  if (descr[1] == "<f4") {
    header.dtype = DType::kF32;
  } else if (descr[1] == "<f8") {
    header.dtype = DType::kF64;
  } else {
    fail(ErrorCode::kUnsupported, "{}: holds '{}'; float32 ('<f4') or float64 is needed", where,
         descr[1].str());
  }
  if (order[1] == "True") fail(ErrorCode::kUnsupported, "{}: is in Fortran order; C order is needed", where);
  const std::string extents = shape[1];
  const char* end = extents.data() + extents.size();
  for (const char* at = extents.data(); at != end;) {
    int64_t extent = 0;
    const auto [next, error] = std::from_chars(at, end, extent);
    if (error == std::errc::result_out_of_range) fail(ErrorCode::kCorrupt, "{}: damaged .npy shape", where);
    if (next != at) header.shape.push_back(extent);
    at = next == at ? at + 1 : next;
  }
  return header;
}

}  // namespace

Tensor read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string where = path.string();
  const auto bytes = file.bytes();
  const auto start = checked_range(bytes, 0, kMagic.size() + 2, ".npy magic");
  if (std::memcmp(start.data(), kMagic.data(), kMagic.size()) != 0) {
    fail(ErrorCode::kCorrupt, "{}: is no .npy file", where);
  }
  const auto version = std::to_integer<int>(start[kMagic.size()]);
  const uint64_t length_bytes = version == 1 ? 2 : 4;
  uint64_t length = 0;
  std::memcpy(&length, checked_range(bytes, start.size(), length_bytes, ".npy header length").data(),
              length_bytes);
  if (length > kLargestHeader) fail(ErrorCode::kCorrupt, "{}: the header claims {} bytes", where, length);
  const auto text = checked_range(bytes, start.size() + length_bytes, length, ".npy header");
  const Header header = parse_header({reinterpret_cast<const char*>(text.data()), text.size()}, where);
  const auto data = bytes.subspan(start.size() + length_bytes + length);
  uint64_t needed = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(element_count(header.shape)), size_of(header.dtype),
                             &needed) ||
      needed != data.size()) {
    fail(ErrorCode::kCorrupt, "{}: shape {} does not fill {} bytes", where, to_string(header.shape),
         data.size());
  }
  Tensor stored(header.dtype, header.shape);
  std::memcpy(stored.bytes().data(), data.data(), data.size());
  return to_f32(stored.view());
}

}  // namespace swinzoo
