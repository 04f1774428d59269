#include "formats/npy.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/process.h"

using namespace swinzoo;

namespace {

// A file as numpy.save writes it: magic, version, header length, a Python literal, data.
std::string npy(const std::string& header, const std::string& data, int version = 1) {
  std::string text = "\x93NUMPY";
  text += {static_cast<char>(version), 0};
  const auto length = static_cast<uint32_t>(header.size());
  text.append(reinterpret_cast<const char*>(&length), version == 1 ? 2 : 4);
  return text + header + data;
}

template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string header_of(const std::string& descr, const std::string& shape, const char* fortran = "False") {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}   \n", descr, fortran, shape);
}

class Reader {
 public:
  Tensor read(const std::string& text) {
    write_file(path(), text);
    return read_npy(path());
  }
  std::optional<ErrorCode> code(const std::string& text) {
    return code_of([&] { read(text); });
  }
  std::filesystem::path path() const { return folder_.path() / "x.npy"; }

 private:
  TemporaryFolder folder_;
};

const std::vector<float> kSix = {1, -2, 3.5f, 4, 0, 6};

}  // namespace

TEST_CASE("npy files of float32 and float64 are read in every version") {
  Reader reader;
  for (const int version : {1, 2, 3}) {
    const Tensor x = reader.read(npy(header_of("<f4", "(2, 3)"), bytes_of(kSix), version));
    CHECK(x.shape() == Shape{2, 3});
    CHECK(std::vector<float>(x.as<float>().begin(), x.as<float>().end()) == kSix);
  }
  const Tensor wide = reader.read(npy(header_of("<f8", "(2,)"), bytes_of(std::vector<double>{0.1, -7})));
  CHECK(wide.dtype() == DType::kF32);
  CHECK(wide.as<float>()[0] == 0.1f);
  CHECK(wide.as<float>()[1] == -7.0f);
}

TEST_CASE("npy scalars and empty arrays are read") {
  Reader reader;
  const Tensor scalar = reader.read(npy(header_of("<f4", "()"), bytes_of(std::vector<float>{2.5f})));
  CHECK(scalar.shape().empty());
  CHECK(scalar.as<float>()[0] == 2.5f);
  const Tensor none = reader.read(npy(header_of("<f4", "(0, 3)"), ""));
  CHECK(none.shape() == Shape{0, 3});
  CHECK(none.bytes().empty());
}

TEST_CASE("an npy file cut at any length is damaged and says which file it is") {
  Reader reader;
  const std::string good = npy(header_of("<f4", "(2, 3)"), bytes_of(kSix));
  for (size_t length = 0; length < good.size(); ++length) {
    INFO(length);
    REQUIRE(reader.code(good.substr(0, length)) == ErrorCode::kCorrupt);
    REQUIRE_THROWS_WITH(read_npy(reader.path()), Catch::Contains(reader.path().string()));
  }
  CHECK(reader.code(good + 'x') == ErrorCode::kCorrupt);
}

TEST_CASE("bad npy files are refused with what is wrong") {
  struct Bad {
    const char* what;
    std::string text;
    ErrorCode code;
  };
  const std::string data = bytes_of(kSix);
  std::string long_header = npy("", "", 2);
  std::memcpy(long_header.data() + 8, "\xff\xff\xff\xff", 4);
  const std::vector<Bad> all = {
      {"another magic", "PK" + npy(header_of("<f4", "(6,)"), data).substr(2), ErrorCode::kCorrupt},
      {"no header", npy("", data), ErrorCode::kCorrupt},
      {"header without shape", npy("{'descr': '<f4', 'fortran_order': False}", data), ErrorCode::kCorrupt},
      {"header of 4 GB", long_header, ErrorCode::kCorrupt},
      {"too little data", npy(header_of("<f4", "(7,)"), data), ErrorCode::kCorrupt},
      {"too much data", npy(header_of("<f4", "(5,)"), data), ErrorCode::kCorrupt},
      {"negative extent", npy(header_of("<f4", "(-6,)"), data), ErrorCode::kCorrupt},
      {"extent over 2^63", npy(header_of("<f4", "(99999999999999999999,)"), data), ErrorCode::kCorrupt},
      {"product over 2^63", npy(header_of("<f4", "(4294967296, 4294967296)"), data), ErrorCode::kCorrupt},
      {"bytes over 2^64", npy(header_of("<f8", "(4611686018427387904,)"), data), ErrorCode::kCorrupt},
      {"integers", npy(header_of("<i4", "(6,)"), data), ErrorCode::kUnsupported},
      {"half precision", npy(header_of("<f2", "(12,)"), data), ErrorCode::kUnsupported},
      {"big-endian", npy(header_of(">f4", "(6,)"), data), ErrorCode::kUnsupported},
      {"Fortran order", npy(header_of("<f4", "(2, 3)", "True"), data), ErrorCode::kUnsupported},
      {"a dtype of 65000 letters", npy(header_of(std::string(65000, 'f'), "(6,)"), data, 2),
       ErrorCode::kCorrupt},
      {"a dtype of 9000 letters", npy(header_of(std::string(9000, 'f'), "(6,)"), data),
       ErrorCode::kUnsupported},
      {"a shape of 65000 digits", npy(header_of("<f4", "(" + std::string(65000, '1') + ")"), data, 2),
       ErrorCode::kCorrupt},
      {"a header of 65000 spaces", npy("{'descr':" + std::string(65000, ' '), data, 2), ErrorCode::kCorrupt},
      {"version 9", npy(header_of("<f4", "(6,)"), data, 9), ErrorCode::kUnsupported},
  };
  Reader reader;
  for (const Bad& bad : all) {
    INFO(bad.what);
    CHECK(reader.code(bad.text) == bad.code);
    CHECK_THROWS_WITH(read_npy(reader.path()), Catch::Contains(reader.path().string()));
  }
  CHECK(code_of([] { read_npy("/no/such/x.npy"); }) == ErrorCode::kNotFound);
}
