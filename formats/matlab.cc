#include "formats/matlab.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "formats/error.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

using Bytes = std::span<const std::byte>;

constexpr size_t kHeaderSize = 128;
constexpr size_t kMostInflated = 64 << 20;

enum Type : uint32_t {
  kInt8 = 1,
  kUint8 = 2,
  kInt16 = 3,
  kUint16 = 4,
  kInt32 = 5,
  kUint32 = 6,
  kSingle = 7,
  kDouble = 9,
  kMatrix = 14,
  kCompressed = 15,
  kUtf8 = 16,
  kUtf16 = 17,
};

enum Class : uint32_t { kStructClass = 2, kCharClass = 4, kDoubleClass = 6, kUint32Class = 13 };

constexpr uint32_t kComplexFlag = 0x800;

template <typename T>
T load(Bytes bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

struct Element {
  uint32_t type = 0;
  Bytes bytes;
};

// Takes an element off the front of `rest`.
Element take(Bytes& rest) {
  const Bytes tag = checked_range(rest, 0, 8, "an element's tag");
  const auto type = load<uint32_t>(tag);
  if (type >> 16 != 0) {
    const Element element{type & 0xffff, checked_range(tag.subspan(4), 0, type >> 16, "a small element")};
    rest = rest.subspan(8);
    return element;
  }
  const auto size = load<uint32_t>(tag.subspan(4));
  const Element element{type, checked_range(rest, 8, size, "an element")};
  // Nothing pads what is deflated.
  const uint64_t padded = type == kCompressed ? size : (uint64_t{size} + 7) / 8 * 8;
  rest = rest.subspan(std::min<uint64_t>(8 + padded, rest.size()));
  return element;
}

Element take(Bytes& rest, Type type, const char* what) {
  const Element element = take(rest);
  if (element.type != type) {
    fail(ErrorCode::kCorrupt, "{}: expected an element of type {}, found type {}", what,
         static_cast<int>(type), element.type);
  }
  return element;
}

std::vector<std::byte> inflated(Bytes deflated) {
  std::vector<std::byte> out;
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) fail(ErrorCode::kFailed, "no memory for inflating");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(deflated.data()));
  stream.avail_in = static_cast<uInt>(deflated.size());
  int status = Z_OK;
  while (status == Z_OK && out.size() < kMostInflated) {
    const size_t before = out.size();
    out.resize(std::min(std::max<size_t>(2 * before, 1 << 16), kMostInflated));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status == Z_OK) fail(ErrorCode::kUnsupported, "inflates to more than {} MiB", kMostInflated >> 20);
  if (status != Z_STREAM_END) fail(ErrorCode::kCorrupt, "a compressed element is damaged");
  return out;
}

template <typename T>
std::vector<double> widened(Bytes bytes) {
  std::vector<double> numbers;
  for (; bytes.size() >= sizeof(T); bytes = bytes.subspan(sizeof(T))) {
    numbers.push_back(static_cast<double>(load<T>(bytes)));
  }
  return numbers;
}

// The values of an element, whatever type they were stored as.
std::optional<std::vector<double>> numbers_of(const Element& element) {
  switch (element.type) {
    case kInt8:
      return widened<int8_t>(element.bytes);
    case kUint8:
    case kUtf8:
      return widened<uint8_t>(element.bytes);
    case kInt16:
      return widened<int16_t>(element.bytes);
    case kUint16:
    case kUtf16:
      return widened<uint16_t>(element.bytes);
    case kInt32:
      return widened<int32_t>(element.bytes);
    case kUint32:
      return widened<uint32_t>(element.bytes);
    case kSingle:
      return widened<float>(element.bytes);
    case kDouble:
      return widened<double>(element.bytes);
    default:
      return std::nullopt;
  }
}

struct Matrix {
  uint32_t array_class = 0;
  bool is_complex = false;
  uint64_t count = 1;  // of its elements
  std::string_view name;
  Bytes rest;  // what follows, by class
};

Matrix open_matrix(Bytes bytes) {
  Matrix matrix;
  const Bytes flags = take(bytes, kUint32, "a matrix's flags").bytes;
  const auto word = load<uint32_t>(checked_range(flags, 0, 8, "a matrix's flags"));
  matrix.array_class = word & 0xff;
  matrix.is_complex = (word & kComplexFlag) != 0;
  const Element dimensions = take(bytes, kInt32, "a matrix's dimensions");
  for (const double extent : widened<int32_t>(dimensions.bytes)) {
    if (extent < 0 || __builtin_mul_overflow(matrix.count, static_cast<uint64_t>(extent), &matrix.count)) {
      fail(ErrorCode::kCorrupt, "a matrix's dimensions make no sense");
    }
  }
  const Bytes name = take(bytes, kInt8, "a matrix's name").bytes;
  matrix.name = {reinterpret_cast<const char*>(name.data()), name.size()};
  matrix.rest = bytes;
  return matrix;
}

// A field's value, from its matrix (of no bytes at all where it is empty).
MatlabValue value_of(Bytes bytes) {
  MatlabValue value;
  if (bytes.empty()) return value;
  Matrix matrix = open_matrix(bytes);
  const bool is_text = matrix.array_class == kCharClass;
  const bool is_number = matrix.array_class >= kDoubleClass && matrix.array_class <= kUint32Class;
  if (matrix.count == 0 || matrix.is_complex || (!is_text && !is_number)) return value;
  const Element element = take(matrix.rest);
  const auto numbers = numbers_of(element);
  // In UTF-8 a character may take several bytes.
  const bool fits = numbers.has_value() && (numbers->size() == matrix.count || element.type == kUtf8);
  if (!fits) {
    fail(ErrorCode::kCorrupt, "a field has not the {} values of its dimensions", matrix.count);
  }
  if (is_number) {
    value.numbers = *numbers;
  } else {
    for (const double code : *numbers) value.text += code > 0 && code < 128 ? static_cast<char>(code) : '?';
  }
  return value;
}

std::map<std::string, std::vector<MatlabValue>> fields_of(Matrix matrix) {
  const Bytes length_bytes = take(matrix.rest, kInt32, "the length of field names").bytes;
  const auto length = load<int32_t>(checked_range(length_bytes, 0, 4, "the length of field names"));
  Bytes names = take(matrix.rest, kInt8, "field names").bytes;
  if (length < 1 || names.empty() || names.size() % static_cast<size_t>(length) != 0) {
    fail(ErrorCode::kCorrupt, "field names of {} bytes in {}", length, names.size());
  }
  std::vector<std::string> fields;
  for (; !names.empty(); names = names.subspan(static_cast<size_t>(length))) {
    const auto* text = reinterpret_cast<const char*>(names.data());
    fields.emplace_back(text, strnlen(text, static_cast<size_t>(length)));
  }
  if (matrix.count > matrix.rest.size() / 8 / fields.size()) {
    fail(ErrorCode::kCorrupt, "{} structs of {} fields in {} bytes", matrix.count, fields.size(),
         matrix.rest.size());
  }
  std::map<std::string, std::vector<MatlabValue>> values;
  for (const std::string& field : fields) values[field];
  if (values.size() != fields.size()) fail(ErrorCode::kCorrupt, "a field stands there twice");
  for (uint64_t i = 0; i < matrix.count; ++i) {
    for (const std::string& field : fields) {
      values[field].push_back(value_of(take(matrix.rest, kMatrix, field.c_str()).bytes));
    }
  }
  return values;
}

std::optional<std::map<std::string, std::vector<MatlabValue>>> find_structs(Bytes file,
                                                                            const std::string& name) {
  if (load<uint16_t>(checked_range(file, kHeaderSize - 2, 2, "the header")) != 0x4d49) {
    fail(ErrorCode::kUnsupported, "not little-endian");
  }
  for (Bytes rest = file.subspan(kHeaderSize); !rest.empty();) {
    Element element = take(rest);
    std::vector<std::byte> owner;
    if (element.type == kCompressed) {
      owner = inflated(element.bytes);
      Bytes inside = owner;
      element = take(inside);
    }
    if (element.type != kMatrix) continue;
    const Matrix matrix = open_matrix(element.bytes);
    if (matrix.name == name && matrix.array_class == kStructClass) return fields_of(matrix);
  }
  return std::nullopt;
}

}  // namespace

const std::vector<MatlabValue>& MatlabStructs::field(const std::string& field_name) const {
  const auto found = fields.find(field_name);
  if (found == fields.end()) fail(ErrorCode::kCorrupt, "{}: there is no field '{}'", name, field_name);
  return found->second;
}

bool looks_like_matlab(const MappedFile& file) {
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  return text.starts_with("MATLAB 5.0 MAT-file");
}

MatlabStructs read_matlab_structs(const MappedFile& file, const std::string& name) {
  const std::string path = file.path().string();
  try {
    auto fields = find_structs(file.bytes(), name);
    if (!fields.has_value()) fail(ErrorCode::kCorrupt, "there is no struct array '{}'", name);
    return {fmt::format("{}: {}", path, name), std::move(*fields)};
  } catch (const Error& error) {
    fail(error.code(), "{}: MAT-file: {}", path, error.what());
  }
}

}  // namespace swinzoo
